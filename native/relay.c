/* Runs one command at one control master: receives what the master sends, and acts on it. One thread, one poll(2). */
#include "relay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_SIZE = 256 * 1024,
    TERMINAL_INTERVAL_MS = 100 /* until the next look whether the terminal is the command's, which no event reports */
};

/* The connection */

static void on_lost(struct relay *relay) {
    if (relay->state == REQUESTED)
        relay_give_up(relay);
    else if (relay->state == ACCEPTED)
        relay_fail(relay, "the command was not started", "the control master exited",
             keep_joined("try again; `", relay->path, ".log` may say more"));
    else if (relay->state == FINISHED)
        relay_fail(relay, "the command ended, but copying its files back did not finish",
                   "the control master exited", "`rdoctl sync pull` copies them");
    else
        relay_fail(relay, "the command was lost", "the control master exited or ended it",
                   "it may have run; see `rdoctl log`");
}

static void receive(struct relay *relay) {
    static char data[READ_SIZE];
    size_t most = splice_read_size(&relay->splice, &relay->decoder, sizeof data);
    ssize_t size = recv(relay->outbox.socket, data, most, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        on_lost(relay);
        return;
    }
    watch_note_reply(relay);
    decoder_receive(&relay->decoder, data, (size_t)size);
}

static void splice_some(struct relay *relay) {
    size_t left = relay->decoder.left;
    splice_output(&relay->splice, relay->outbox.socket, &relay->decoder);
    if (relay->decoder.left < left)
        watch_note_reply(relay);
}

static void tell_too_long(struct relay *relay) {
    struct bytes why = {0};
    append_format(&why, "a frame is too long: %lu bytes", (unsigned long)relay->decoder.too_long);
    relay_refuse(relay, as_text(&why));
}

/* Act on what has arrived, up to output that has to be written first. */
static void act_on_frames(struct relay *relay) {
    struct frame frame;
    while (!relay->is_over && relay->output.size == 0 && decoder_next(&relay->decoder, &frame))
        relay_act(relay, &frame);
    if (!relay->is_over && relay->decoder.too_long != 0)
        tell_too_long(relay);
}

/* Write some of the output. If nobody reads stdout any more, let the command know. */
static void write_output(struct relay *relay) {
    ssize_t count = stream_write(relay->output_fd, relay->output.data, relay->output.size);
    if (count >= 0) {
        relay->output.data += count;
        relay->output.size -= (size_t)count;
        return;
    }
    if (errno == EAGAIN || errno == EINTR)
        return;
    if (errno != EPIPE && errno != EIO && errno != EBADF) {
        const char *what = relay->output_fd == 1 ? "cannot write to stdout" : "cannot write to stderr";
        relay_fail(relay, what, failure_reason(errno), "");
        return;
    }
    relay->output.size = 0;
    if (relay->output_fd == 1 && !relay->is_reader_gone) {
        relay->is_reader_gone = true;
        outbox_send(&relay->outbox, 'S', "PIPE", 4);
    }
}

/* Before the command is started, a signal has its default effect, after the status line has been erased. */
static void act_on_signals(struct relay *relay) {
    for (int number; !relay->is_over && (number = signals_next()) != 0;) {
        if (relay->state == STARTED) {
            foreground_act(&relay->foreground, number);
        } else if (number == SIGINT) {
            relay_end(relay, INTERRUPTED);
        } else {
            status_line_erase();
            signals_default(number, getpid());
        }
    }
}

enum { SIGNALS, MASTER, OUTPUT, INPUT, COUNT };

static int until(uint64_t deadline) {
    uint64_t now = now_ms();
    return now < deadline ? (int)(deadline - now) : 0;
}

/* The sooner of two timeouts for poll(2). */
static int sooner(int one, int other) {
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

static int timeout_of(struct relay *relay, uint64_t deadline) {
    if (relay->state == REQUESTED)
        return until(deadline);
    int timeout = input_timeout(&relay->input);
    if (watch_is_on(relay))
        timeout = sooner(timeout, until(relay->watch.next));
    if (relay->state == STARTED && foreground_awaits_terminal(&relay->foreground))
        timeout = sooner(timeout, TERMINAL_INTERVAL_MS);
    return timeout;
}

static void await(struct relay *relay, uint64_t deadline) {
    int timeout = timeout_of(relay, deadline);
    bool is_writing = relay->output.size > 0;
    bool is_splicing = !is_writing && splice_is_due(&relay->splice, &relay->decoder);
    bool awaits_room = is_writing || (is_splicing && relay->splice.awaits_room);
    int output = is_splicing ? (relay->decoder.kind == 'O' ? 1 : 2) : relay->output_fd;
    short master = (short)((awaits_room ? 0 : POLLIN) | (outbox_is_empty(&relay->outbox) ? 0 : POLLOUT));
    struct pollfd ready[COUNT] = {
        [SIGNALS] = {.fd = signals_fd(), .events = POLLIN},
        [MASTER] = {.fd = master ? relay->outbox.socket : -1, .events = master},
        [OUTPUT] = {.fd = awaits_room ? output : -1, .events = POLLOUT},
        [INPUT] = {.fd = input_is_wanted(&relay->input, &relay->outbox) ? 0 : -1, .events = POLLIN},
    };
    int count = poll(ready, COUNT, timeout);
    if (relay->state == STARTED && foreground_awaits_terminal(&relay->foreground))
        foreground_take_terminal(&relay->foreground);
    if (count == 0 && relay->state == REQUESTED) {
        relay->result->is_wedged = true;
        relay_give_up(relay);
    }
    if (count <= 0 || !(ready[MASTER].revents & POLLIN))
        watch_look(relay); /* before more is sent, which the master could not have read yet */
    if (count <= 0 || relay->is_over)
        return;
    if (ready[SIGNALS].revents)
        signals_drain();
    if (ready[MASTER].revents && !outbox_is_empty(&relay->outbox))
        outbox_flush(&relay->outbox);
    if (is_splicing && (ready[OUTPUT].revents || ready[MASTER].revents & ~POLLOUT))
        splice_some(relay);
    else if (ready[MASTER].revents & ~POLLOUT && !is_writing)
        receive(relay);
    else if (ready[OUTPUT].revents)
        write_output(relay);
    if (ready[INPUT].revents && input_is_wanted(&relay->input, &relay->outbox))
        input_send(&relay->input, &relay->outbox);
}

/* Send the request over the connection to the master that listens at `path`, and act as the terminal of its command. */
void relay_run(struct relay_result *result, int socket, const char *path, const struct request *request) {
    struct relay relay = {
        .state = REQUESTED,
        .result = result,
        .request = request,
        .path = path,
        .outbox = {.socket = socket, .waiting = request->frame},
        .foreground = {.window = request->window,
                       .has_pty = request->has_pty,
                       .takes_keys = request->has_pty && request->has_input,
                       .is_foreign = request->is_foreign},
    };
    uint64_t deadline = now_ms() + ACCEPT_TIMEOUT_MS;
    relay.foreground.outbox = &relay.outbox;
    outbox_flush(&relay.outbox);
    while (!relay.is_over) {
        await(&relay, deadline);
        act_on_signals(&relay);
        act_on_frames(&relay);
    }
    result->interrupts_all =
        result->status == INTERRUPTED && relay.input.ends_with_interrupt && !relay.foreground.is_foreign;
    status_line_erase();
    tty_restore();
    discard(&relay.notice);
    discard(&relay.outbox.waiting);
    discard(&relay.decoder.buffer);
}
