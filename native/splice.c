/* Relays long streams within the kernel, as Linux can: output from the master's socket to a pipe, and input from a pipe
 * to the socket. This avoids copying, and so takes half the time. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { THRESHOLD = 64 * 1024 }; /* bytes of a frame from which on it is worth while */

/* Move up to `size` bytes without waiting; EINVAL if the system cannot. */
static ssize_t move(int from, int to, size_t size) {
#ifdef __linux__
    return splice(from, NULL, to, NULL, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
#else
    (void)from;
    (void)to;
    (void)size;
    errno = EINVAL;
    return -1;
#endif
}

/* Whether the rest of the current frame can be relayed like this: nothing of it has been read ahead. */
bool splice_is_due(const struct splice *splice, const struct decoder *decoder) {
    return !splice->is_refused && decoder->length >= THRESHOLD && decoder->left > 0 && decoder->size == 0;
}

/* How much to receive at once. Of a stream in long frames, only the headers. */
size_t splice_read_size(const struct splice *splice, const struct decoder *decoder, size_t size) {
    return !splice->is_refused && decoder->length >= THRESHOLD ? HEADER_SIZE : size;
}

/* Relay some of the current frame. If that fails (no pipe, a reader that is gone, a broken socket), relaying it in the
 * ordinary way finds the reason. */
void splice_output(struct splice *splice, int socket, struct decoder *decoder) {
    ssize_t count = move(socket, decoder->kind == 'O' ? 1 : 2, decoder->left);
    if (count > 0) {
        decoder->left -= (size_t)count;
        splice->awaits_room = false;
    } else if (count < 0 && errno == EAGAIN) {
        splice->awaits_room = !splice->awaits_room; /* it was the other end that was not ready */
    } else if (count == 0 || errno != EINTR) {
        splice->is_refused = true;
    }
}

static bool open_pipe(int ends[2]) {
    if (ends[0] != ends[1])
        return true;
    if (pipe(ends) != 0)
        return false;
    return fcntl(ends[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(ends[1], F_SETFD, FD_CLOEXEC) == 0;
}

/* Move what there is on stdin into the outbox's pipe, with the result of read(2): the frame's length is sent first, and
 * other processes may read from the caller's pipe. EINVAL if it has to be read. */
ssize_t splice_input(struct outbox *outbox, size_t size) {
    if (!open_pipe(outbox->pipe)) {
        errno = EINVAL;
        return -1;
    }
    return move(0, outbox->pipe[1], size);
}

/* Send some of what is in the outbox's pipe, like send(2); EINVAL if it has to be read. */
ssize_t splice_send(const struct outbox *outbox) {
    return move(outbox->pipe[0], outbox->socket, outbox->piped);
}
