/* Sends the caller's stdin to the master, within the credit that the master gives. */
#include "relay.h"

#include <errno.h>
#include <unistd.h>

enum {
    READ_SIZE = 64 * 1024,     /* what a pipe holds by default */
    WINDOW = 4 * 1024 * 1024,  /* bytes that may be in flight */
    OTHERS_TURN_MS = 100,      /* between looks at a terminal that another program reads: no event reports its end */
    SUSPENSION_MS = 200        /* in which a stop may be reported, after which input is for the shell */
};

void input_start(struct input *input, bool hangs_up) {
    input->is_open = true;
    input->is_terminal = isatty(0);
    input->hangs_up = hangs_up;
    input->credit = WINDOW;
}

/* Stop reading, since input from now on is for another program. */
void input_leave(struct input *input) {
    input->is_open = false;
    input->resting_until = 0;
}

bool input_is_wanted(const struct input *input, const struct outbox *outbox) {
    return input->is_open && input->credit > 0 && input->resting_until == 0 && outbox_is_empty(outbox);
}

/* Milliseconds until the next look; -1 if none is due. */
int input_timeout(struct input *input) {
    if (input->resting_until == 0)
        return -1;
    uint64_t now = now_ms();
    if (now < input->resting_until)
        return (int)(input->resting_until - now);
    input->resting_until = 0;
    return -1;
}

/* Handle the end of input. In raw mode, the key for it is like any other, so that an end means that the terminal is
 * gone. The system reports that by SIGHUP, but only to the terminal's own session. */
static void end(struct input *input, struct outbox *outbox) {
    input->is_open = false;
    if (input->hangs_up) {
        outbox_send(outbox, 'S', "HUP", 3);
        outbox_send(outbox, 'S', "CONT", 4); /* as the system does for a stopped process */
    } else if (!tty_is_raw()) {
        outbox_send(outbox, 'E', "", 0);
    }
}

/* The same within the kernel. False if the input has to be read. */
static bool send_spliced(struct input *input, struct outbox *outbox) {
    ssize_t count = splice_input(outbox, input->credit < READ_SIZE ? (size_t)input->credit : READ_SIZE);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    input->is_unspliced = count < 0;
    if (count == 0)
        end(input, outbox);
    if (count <= 0)
        return count == 0;
    input->credit -= (uint64_t)count;
    outbox_send_piped(outbox, 'I', (size_t)count);
    return true;
}

/* Send available input, if it is for us. The outbox is empty. */
void input_send(struct input *input, struct outbox *outbox) {
    if (input->is_terminal && !tty_is_raw() && !tty_is_ours(0)) {
        input->resting_until = now_ms() + OTHERS_TURN_MS;
        return;
    }
    if (input->is_long && !input->is_unspliced && send_spliced(input, outbox))
        return;
    struct bytes *waiting = &outbox->waiting;
    char *frame = reserve(waiting, HEADER_SIZE + READ_SIZE);
    ssize_t count = stream_read(frame + HEADER_SIZE, input->credit < READ_SIZE ? (size_t)input->credit : READ_SIZE);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count <= 0) {
        end(input, outbox);
        return;
    }
    write_header(frame, 'I', (size_t)count);
    waiting->size += HEADER_SIZE + (size_t)count;
    input->credit -= (uint64_t)count;
    input->is_long = count == READ_SIZE;
    input->ends_with_interrupt = tty_ends_with_interrupt_key(frame + HEADER_SIZE, (size_t)count);
    if (tty_has_suspend_key(frame + HEADER_SIZE, (size_t)count))
        input->resting_until = now_ms() + SUSPENSION_MS;
    outbox_flush(outbox);
}
