/* Acts on each frame that the master sends. */
#include "relay.h"

#include <string.h>

void relay_end(struct relay *relay, int status) {
    relay->result->status = status;
    relay->is_over = true;
}

void relay_fail(struct relay *relay, const char *what, const char *why, const char *hint) {
    relay->result->is_failure = true;
    relay->result->what = what;
    relay->result->why = why;
    relay->result->hint = hint;
    relay_end(relay, FAILURE);
}

void relay_refuse(struct relay *relay, const char *why) {
    relay_fail(relay, "the control master violated the protocol", why, "`rdoctl stop --all`");
}

/* This master did not accept the request, so the Python client asks another one. */
void relay_give_up(struct relay *relay) {
    relay->result->is_stale = true;
    relay_end(relay, FAILURE);
}

/* Frames, as specified in PROTOCOL.md */

static void on_accepted(struct relay *relay, const struct frame *frame) {
    (void)frame;
    relay->state = ACCEPTED;
    trace_kept();
}

static void on_stale(struct relay *relay, const struct frame *frame) {
    (void)frame;
    relay_give_up(relay);
}

/* One of the texts that are separated by NUL bytes; empty if there are fewer. */
static const char *part(const struct frame *frame, size_t index) {
    const char *rest = frame->data, *end = frame->data + frame->size;
    for (; index > 0 && rest < end; index--) {
        const char *nul = memchr(rest, '\0', (size_t)(end - rest));
        rest = nul == NULL ? end : nul + 1;
    }
    const char *nul = rest < end ? memchr(rest, '\0', (size_t)(end - rest)) : NULL;
    return keep_text(rest < end ? rest : "", nul == NULL ? (size_t)(end - rest) : (size_t)(nul - rest));
}

static void on_failed(struct relay *relay, const struct frame *frame) {
    relay->result->is_unreachable = relay->state < STARTED && strcmp(part(frame, 3), "unreachable") == 0;
    relay_fail(relay, part(frame, 0), part(frame, 1), part(frame, 2));
}

static void on_prompt(struct relay *relay, const struct frame *frame) {
    struct bytes answer = {0};
    append_answer(&answer, frame->data, frame->size);
    if (signals_is_interrupted())
        relay_end(relay, INTERRUPTED); /* the byte that would have woken the relay was taken from the pipe meanwhile */
    else
        outbox_send(&relay->outbox, 'A', answer.data, answer.size);
    discard(&answer);
}

static void append_notice(struct relay *relay, const struct frame *frame) {
    append(&relay->notice, frame->data, frame->size);
    append_text(&relay->notice, tty_is_raw() ? "\r\n" : "\n");
}

static void show_notice(struct relay *relay) {
    relay->output = (struct frame){'N', relay->notice.data, relay->notice.size};
    relay->output_fd = 2;
}

/* While the command runs, but not on the screen of a pager that shows its output. */
static void on_notice(struct relay *relay, const struct frame *frame) {
    relay->notice.size = 0;
    append_notice(relay, frame);
    relay->is_notice_withheld = relay->state == STARTED && tty_is_taken(2);
    if (!relay->is_notice_withheld)
        show_notice(relay);
}

/* Show a line of rdo's own that ends in a number of seconds, like a NOTICE of the master; returns whether that is
 * possible. */
bool relay_show_seconds(struct relay *relay, const char *text, uint64_t ms) {
    if (relay->output.size > 0 || !relay->request->wants_notices || relay->is_drawn_on || tty_is_taken(2))
        return false;
    struct bytes line = {0};
    append_format(&line, "%srdo: %s %u s", relay->is_within_line ? "\r\n" : "", text, (unsigned)((ms + 500) / 1000));
    relay->is_within_line = false;
    on_notice(relay, &(struct frame){'N', line.data, line.size});
    discard(&line);
    return true;
}

static void on_open_url(struct relay *relay, const struct frame *frame) {
    static const char FAULT[] = "rdo: cannot open the URL here: no browser was found; "
                                "set BROWSER to the command that starts one";
    const struct frame notice = {'N', FAULT, sizeof FAULT - 1};
    bool is_opened = browser_open(frame->data, frame->size);
    if (relay->is_notice_withheld) { /* no URL is opened without showing it */
        if (!is_opened)
            append_notice(relay, &notice);
        show_notice(relay);
        relay->is_notice_withheld = false;
    } else if (!is_opened) {
        on_notice(relay, &notice);
    }
}

static void on_progress(struct relay *relay, const struct frame *frame) {
    (void)relay;
    status_line_show(frame->data, frame->size);
}

static void on_started(struct relay *relay, const struct frame *frame) {
    relay->state = STARTED;
    trace_step("shell");
    foreground_enter(&relay->foreground, frame->size == 1 && *frame->data == 'T');
    if (relay->request->has_input)
        input_start(&relay->input, relay->request->is_foreign && relay->foreground.has_pty);
}

static void on_output(struct relay *relay, const struct frame *frame) {
    if (!relay->has_shown)
        trace_step("first byte");
    relay->has_shown = true;
    relay->output = *frame;
    relay->output_fd = frame->kind == 'O' ? 1 : 2;
    if (relay->foreground.has_pty && frame->size > 0) {
        char last = frame->data[frame->size - 1];
        relay->is_within_line = last != '\r' && last != '\n';
    }
}

static void on_credit(struct relay *relay, const struct frame *frame) {
    const unsigned char *bytes = (const unsigned char *)frame->data;
    if (!relay->request->has_input)
        return;
    if (frame->size != 4)
        relay_refuse(relay, "malformed credit");
    else
        relay->input.credit +=
            (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static void on_end(struct relay *relay, const struct frame *frame) {
    (void)relay;
    (void)frame;
    stream_end_output();
}

static void on_screen(struct relay *relay, const struct frame *frame) {
    relay->is_drawn_on = frame->size == 1 && *frame->data == '1';
}

static void on_stopped(struct relay *relay, const struct frame *frame) {
    (void)frame;
    foreground_stop_all(&relay->foreground);
}

static void refuse(struct relay *relay, char kind) {
    static const char *const ESCAPES[] = {['\t'] = "\\t", ['\n'] = "\\n", ['\r'] = "\\r", ['\\'] = "\\\\"};
    static const char *const STATES[] = {
        [REQUESTED] = "requested", [ACCEPTED] = "accepted", [STARTED] = "started", [FINISHED] = "finished"};
    unsigned char code = (unsigned char)kind;
    struct bytes why = {0};
    append_format(&why, "it sent b%c", kind == '\'' ? '"' : '\'');
    if (code < sizeof ESCAPES / sizeof *ESCAPES && ESCAPES[code] != NULL)
        append_text(&why, ESCAPES[code]);
    else
        append_format(&why, code >= ' ' && code <= '~' ? "%c" : "\\x%02x", code);
    append_format(&why, "%c when the command was %s", kind == '\'' ? '"' : '\'', STATES[relay->state]);
    relay_refuse(relay, as_text(&why));
}

/* The command has ended: from now on the terminal, its keys and the signals are the caller's. */
static void on_finished(struct relay *relay, const struct frame *frame) {
    (void)frame;
    relay->state = FINISHED;
    input_leave(&relay->input);
    tty_restore();
}

static void on_exit_status(struct relay *relay, const struct frame *frame) {
    if (relay->state == ACCEPTED && !relay->request->is_sync_only) { /* otherwise there was nothing to start */
        refuse(relay, frame->kind);
        return;
    }
    trace_step("end");
    if (frame->size != 1)
        relay_refuse(relay, "malformed exit status");
    else
        relay_end(relay, (unsigned char)*frame->data);
}

/* Every frame that the master may send, and in which states. Any other one ends the connection. */
static const struct rule {
    char kind;
    unsigned states;
    void (*act)(struct relay *, const struct frame *);
} RULES[] = {
    {'K', REQUESTED, on_accepted},
    {'Z', REQUESTED, on_stale},
    {'F', REQUESTED | ACCEPTED | STARTED | FINISHED, on_failed},
    {'P', ACCEPTED, on_prompt},
    {'N', ACCEPTED | STARTED | FINISHED, on_notice},
    {'G', ACCEPTED | FINISHED, on_progress},
    {'B', ACCEPTED, on_started},
    {'O', STARTED, on_output},
    {'D', STARTED, on_output},
    {'C', STARTED, on_credit},
    {'E', STARTED, on_end},
    {'S', STARTED, on_screen},
    {'T', STARTED, on_stopped},
    {'U', STARTED | FINISHED, on_open_url},
    {'H', STARTED, on_finished},
    {'X', ACCEPTED | STARTED | FINISHED, on_exit_status},
};

void relay_act(struct relay *relay, const struct frame *frame) {
    for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++)
        if (RULES[i].kind == frame->kind && (RULES[i].states & relay->state) != 0) {
            if (frame->kind != 'G')
                status_line_erase();
            RULES[i].act(relay, frame);
            return;
        }
    refuse(relay, frame->kind);
}
