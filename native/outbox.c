/* What is waiting to be sent to the master, in order. */
#include "relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

bool outbox_is_empty(const struct outbox *outbox) {
    return outbox->sent == outbox->waiting.size && outbox->piped == 0;
}

/* If the system cannot splice into such a socket, move the contents of the pipe to the buffer. False if that fails. */
static bool copy_piped(struct outbox *outbox) {
    struct bytes *waiting = &outbox->waiting;
    size_t size = outbox->piped, behind = waiting->size - outbox->piped_at;
    reserve(waiting, size);
    char *place = waiting->data + outbox->piped_at;
    memmove(place + size, place, behind);
    if (read(outbox->pipe[0], place, size) != (ssize_t)size) /* it is all there, and nobody else reads it */
        return false;
    waiting->size += size;
    outbox->piped = 0;
    return true;
}

/* Send some of it, in order, like send(2). */
static ssize_t send_some(struct outbox *outbox) {
    size_t end = outbox->piped > 0 ? outbox->piped_at : outbox->waiting.size;
    if (outbox->sent < end) {
        ssize_t count = send(outbox->socket, outbox->waiting.data + outbox->sent, end - outbox->sent, MSG_NOSIGNAL);
        outbox->sent += count > 0 ? (size_t)count : 0;
        return count;
    }
    ssize_t count = splice_send(outbox);
    outbox->piped -= count > 0 ? (size_t)count : 0;
    return count < 0 && errno == EINVAL && copy_piped(outbox) ? 1 : count;
}

/* Send what the socket takes. If it broke, the code that receives finds its end, and reports that. */
void outbox_flush(struct outbox *outbox) {
    while (!outbox_is_empty(outbox)) {
        ssize_t count = send_some(outbox);
        if (count < 0 && errno == EAGAIN)
            return;
        if (count == 0 || (count < 0 && errno != EINTR))
            break;
    }
    outbox->sent = outbox->waiting.size = outbox->piped = 0;
}

/* Send a frame whose payload is in the pipe. Nothing else is waiting. */
void outbox_send_piped(struct outbox *outbox, char kind, size_t size) {
    write_header(reserve(&outbox->waiting, HEADER_SIZE), kind, size);
    outbox->waiting.size += HEADER_SIZE;
    outbox->piped = size;
    outbox->piped_at = outbox->waiting.size;
    outbox_flush(outbox);
}

void outbox_send(struct outbox *outbox, char kind, const void *payload, size_t size) {
    append_frame(&outbox->waiting, kind, payload, size);
    outbox_flush(outbox);
}
