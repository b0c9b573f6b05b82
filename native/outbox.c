/* What is to be sent to the master, in its order. */
#include "rdo.h"

#include <errno.h>
#include <sys/socket.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

bool outbox_is_empty(const struct outbox *outbox) {
    return outbox->sent == outbox->waiting.size;
}

/* Send what the socket takes. Where it broke, its end is read by who reads it, and told. */
void outbox_flush(struct outbox *outbox) {
    while (!outbox_is_empty(outbox)) {
        const char *rest = outbox->waiting.data + outbox->sent;
        ssize_t count = send(outbox->socket, rest, outbox->waiting.size - outbox->sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && errno == EAGAIN)
            return;
        outbox->sent = count < 0 ? outbox->waiting.size : outbox->sent + (size_t)count;
    }
    outbox->sent = outbox->waiting.size = 0;
}

void outbox_send(struct outbox *outbox, char kind, const void *payload, size_t size) {
    append_frame(&outbox->waiting, kind, payload, size);
    outbox_flush(outbox);
}
