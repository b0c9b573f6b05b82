/* The caller's stdin, stdout and stderr. Other processes share them, so we must not change their flags, and a read or a
 * write might block even after poll(2) has reported that it would not. So a pipe or a terminal is opened again in
 * non-blocking mode, if the system allows that; otherwise only little is written at a time. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LITTLE = 512 }; /* bytes that a terminal accepts at once; the minimum of PIPE_BUF */

struct stream {
    int own; /* opened by us; -1 if that was not possible */
    bool is_tried, is_socket, is_pipe, is_terminal;
};

static struct stream streams[3] = {{.own = -1}, {.own = -1}, {.own = -1}};

/* Open what the caller has closed, so that no socket of ours becomes the command's stdin or stdout. A directory cannot
 * be read, and so counts as empty. */
void streams_open(void) {
    struct stat info;
    for (int fd = 0; fd < 3; fd++)
        if (fstat(fd, &info) != 0 && open("/dev/null", O_RDWR) < 0)
            hand_over();
    if (fstat(0, &info) == 0 && S_ISDIR(info.st_mode)) {
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        if (null < 0 || dup2(null, 0) < 0)
            hand_over();
        close(null);
    }
}

/* Whether there is a stdin to read. /dev/null, which IDEs and Makefiles use, need not be read. */
bool stream_has_input(void) {
    struct stat input, null;
    if (fstat(0, &input) != 0 || stat("/dev/null", &null) != 0)
        hand_over();
    return input.st_rdev != null.st_rdev;
}

/* Opening it again would create another one. */
static bool is_pty_master(int fd) {
    return ptsname(fd) != NULL;
}

static bool is_same_file(int one, int other) {
    struct stat a, b;
    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
           a.st_rdev == b.st_rdev;
}

static int open_again(int fd, int mode) {
    char name[64];
    int access = fcntl(fd, F_GETFL) & O_ACCMODE;
    if (access != mode && access != O_RDWR)
        return -1;
#ifdef __linux__
    (void)snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
#else
    if (!streams[fd].is_terminal || ttyname_r(fd, name, sizeof name) != 0)
        return -1;
#endif
    int own = open(name, mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0 && !is_same_file(own, fd)) {
        close(own);
        return -1;
    }
    return own;
}

static struct stream *examined(int fd, int mode) {
    struct stream *stream = streams + fd;
    struct stat info;
    if (stream->is_tried || fstat(fd, &info) != 0)
        return stream;
    stream->is_tried = true;
    stream->is_socket = S_ISSOCK(info.st_mode);
    stream->is_pipe = S_ISFIFO(info.st_mode);
    stream->is_terminal = S_ISCHR(info.st_mode) && isatty(fd);
    if (stream->is_pipe || (stream->is_terminal && !is_pty_master(fd)))
        stream->own = open_again(fd, mode);
    return stream;
}

/* Read what there is on stdin. */
ssize_t stream_read(void *data, size_t size) {
    const struct stream *stream = examined(0, O_RDONLY);
    if (stream->is_socket)
        return recv(0, data, size, MSG_DONTWAIT);
    return read(stream->own >= 0 ? stream->own : 0, data, size);
}

/* Write as much as there is room for. */
ssize_t stream_write(int fd, const void *data, size_t size) {
    if (size <= LITTLE)
        return write(fd, data, size);
    const struct stream *stream = examined(fd, O_WRONLY);
    if (stream->own >= 0)
        return write(stream->own, data, size);
    if (stream->is_socket)
        return send(fd, data, size, MSG_DONTWAIT);
    if (stream->is_pipe)
        return write(fd, data, size < PIPE_BUF ? size : PIPE_BUF);
    return write(fd, data, stream->is_terminal ? LITTLE : size);
}

/* Write all of it, and ignore errors. */
void stream_write_all(int fd, const void *data, size_t size) {
    const char *rest = data;
    while (size > 0) {
        struct pollfd ready = {.fd = fd, .events = POLLOUT};
        poll(&ready, 1, -1);
        ssize_t count = stream_write(fd, rest, size);
        if (count < 0 && errno != EINTR && errno != EAGAIN)
            return;
        size_t written = count < 0 ? 0 : (size_t)count;
        rest += written;
        size -= written;
    }
}

/* The command has closed both streams: let the reader of stdout see that. stderr is kept for rdo's own lines. */
void stream_end_output(void) {
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (null >= 0) {
        dup2(null, 1);
        close(null);
    }
    if (streams[1].own >= 0)
        close(streams[1].own);
    streams[1] = (struct stream){.own = -1};
}
