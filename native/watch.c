/* Whether the control master still reads what it is sent while a command runs. PROTOCOL.md has the rule. */
#include "relay.h"

enum {
    INTERVAL_MS = 350,    /* between two checks: a silent master is noticed within a second, at the next check */
    SECOND_LOOK_MS = 250, /* if something was not read, since it may just have been sent */
    LATE_MS = 1000,       /* a later check means that we were stopped, or the machine slept */
    LOST_MS = 20 * 1000,  /* until the master is given up, as with a connection to a target */
    SIGNALLED_LOST_MS = ACCEPT_TIMEOUT_MS /* the same once the caller has asked for the end */
};

/* Not if files are only copied, during which the master does not read. */
bool watch_is_on(const struct relay *relay) {
    return relay->state == STARTED && !relay->request->is_sync_only && !relay->is_over;
}

static void note_life(struct relay *relay, uint64_t now) {
    struct watch *watch = &relay->watch;
    if (watch->is_told)
        relay_show_seconds(relay, "the control master answers again, after", now - watch->lived);
    watch->lived = now;
    watch->is_doubtful = watch->is_told = relay->foreground.is_signalled = false;
    watch->next = now + INTERVAL_MS;
}

/* Note that something has arrived. */
void watch_note_reply(struct relay *relay) {
    note_life(relay, now_ms());
}

static void note_silence(struct relay *relay, uint64_t ms) {
    struct watch *watch = &relay->watch;
    if (ms >= (relay->foreground.is_signalled ? SIGNALLED_LOST_MS : LOST_MS))
        relay_fail(relay, "the command was lost", "the control master does not respond",
                   "it may still run; `rdoctl stop --now` ends it");
    else if (!watch->is_told)
        watch->is_told = relay_show_seconds(relay, "no answer from the control master for", ms);
}

/* Check if it is time to. Each check sends something, and the next one finds whether it was read. */
void watch_look(struct relay *relay) {
    struct watch *watch = &relay->watch;
    uint64_t now = now_ms(), due = watch->next;
    if (!watch_is_on(relay) || now < due)
        return;
    bool is_unread = !outbox_is_empty(&relay->outbox) || socket_is_unread(relay->outbox.socket);
    watch->next = now + INTERVAL_MS;
    if (now - due > LATE_MS) {
        watch->lived = now;
        watch->is_doubtful = false;
    } else if (!is_unread) {
        note_life(relay, now);
        outbox_send(&relay->outbox, 'P', "", 0);
    } else if (!watch->is_doubtful) {
        watch->is_doubtful = true;
        watch->next = now + SECOND_LOOK_MS;
    } else {
        note_silence(relay, now - watch->lived);
    }
}
