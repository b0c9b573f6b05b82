/* Long streams passed on within the kernel, as Linux can: output from the master's socket to a pipe, and input from a
 * pipe to the socket. No copy, and so half the time. */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { THRESHOLD = 64 * 1024 }; /* bytes of a frame from which on it pays */

/* Move up to `size` bytes without waiting; EINVAL where that cannot be. */
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

/* Whether the rest of the frame under way can be passed on so: nothing of it has been read ahead. */
bool splice_is_due(const struct splice *splice, const struct decoder *decoder) {
    return !splice->is_refused && decoder->length >= THRESHOLD && decoder->left > 0 && decoder->size == 0;
}

/* How much to receive at once: of what goes on in long frames, only the headers. */
size_t splice_read_size(const struct splice *splice, const struct decoder *decoder, size_t size) {
    return !splice->is_refused && decoder->length >= THRESHOLD ? HEADER_SIZE : size;
}

/* Pass on some of the frame that is under way. Where that cannot be (no pipe, a reader that is gone, a socket that broke),
 * who passes it on in the ordinary way meets the reason. */
void splice_output(struct splice *splice, int socket, struct decoder *decoder) {
    ssize_t count = move(socket, decoder->kind == 'O' ? 1 : 2, decoder->left);
    if (count > 0) {
        decoder->left -= (size_t)count;
        splice->awaits_room = false;
    } else if (count < 0 && errno == EAGAIN) {
        splice->awaits_room = !splice->awaits_room; /* it was the other of the two that was not ready */
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

/* Take what there is on stdin, as read(2) does, into the outbox's pipe: the length goes before it, and what is in the
 * caller's pipe others may read. EINVAL where it has to be read. */
ssize_t splice_input(struct outbox *outbox, size_t size) {
    if (!open_pipe(outbox->pipe)) {
        errno = EINVAL;
        return -1;
    }
    return move(0, outbox->pipe[1], size);
}

/* Send some of what is in the outbox's pipe, as send(2) does; EINVAL where it has to be read. */
ssize_t splice_send(const struct outbox *outbox) {
    return move(outbox->pipe[0], outbox->socket, outbox->piped);
}
