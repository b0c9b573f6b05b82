/* Connects to the control master. If anything is odd about the socket, or who listens, the Python client reports it. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/sockios.h>
#endif

enum { RETRY_INTERVAL_MS = 20 }; /* while the master's accept queue is full */

/* Whether the listener is this user or root: nothing is sent to anybody else. */
static bool is_trusted(int fd) {
#ifdef SO_PEERCRED
    struct ucred peer;
    socklen_t size = sizeof peer;
    bool is_known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    return is_known && (peer.uid == geteuid() || peer.uid == 0);
#else
    uid_t uid;
    gid_t gid;
    return getpeereid(fd, &uid, &gid) == 0 && (uid == geteuid() || uid == 0);
#endif
}

static int new_socket(void) {
#ifdef SOCK_NONBLOCK
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
#else
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && (fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0))
        return -1;
    return fd;
#endif
}

/* Whether the peer has not yet read everything that was sent. */
bool socket_is_unread(int fd) {
    int size = 0;
#ifdef __linux__
    return ioctl(fd, SIOCOUTQ, &size) == 0 && size > 0;
#elif defined(SO_NWRITE)
    socklen_t length = sizeof size;
    return getsockopt(fd, SOL_SOCKET, SO_NWRITE, &size, &length) == 0 && size > 0;
#else
    return fd < 0 && size > 0;
#endif
}

static int connection = -1;

/* Close the descriptor, since there may be no other for the program that is executed in our place. */
void socket_close(void) {
    if (connection >= 0)
        close(connection);
}

/* A connection to the master that listens at `path`. Hands over if none does, or it is wedged. */
int socket_connect(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    uint64_t deadline = now_ms() + ACCEPT_TIMEOUT_MS;
    int fd = connection = new_socket();
    if (fd < 0 || strlen(path) >= sizeof address.sun_path)
        hand_over();
    memcpy(address.sun_path, path, strlen(path));
    while (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno != EAGAIN)
            hand_over();
        if (now_ms() > deadline)
            hand_over_wedged();
        poll(NULL, 0, RETRY_INTERVAL_MS);
    }
    if (!is_trusted(fd))
        hand_over();
    return fd;
}
