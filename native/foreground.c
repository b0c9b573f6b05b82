/* The caller's signals and terminal modes, while one command runs. */
#include "relay.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

static void enter_raw(const struct foreground *foreground) {
    if (foreground->takes_keys)
        tty_enter_raw();
}

/* Whether the caller expects the signal to end the command. */
static bool is_fatal(int number) {
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

static void send_signal(struct foreground *foreground, int number) {
    const char *name = signals_name(number);
    if (is_fatal(number))
        foreground->is_signalled = true;
    outbox_send(foreground->outbox, 'S', name, strlen(name));
}

/* Send the window size if it has changed, and return whether it has. */
static bool send_window(struct foreground *foreground) {
    struct window now = tty_window(1), *last = &foreground->window;
    if (now.rows == last->rows && now.columns == last->columns && now.width == last->width &&
        now.height == last->height)
        return false;
    unsigned numbers[] = {now.rows, now.columns, now.width, now.height};
    unsigned char payload[8];
    for (size_t i = 0; i < sizeof payload; i++)
        payload[i] = (unsigned char)(numbers[i / 2] >> (i % 2 ? 0 : 8) & 0xff);
    *last = now;
    outbox_send(foreground->outbox, 'W', payload, sizeof payload);
    return true;
}

/* Note that the command is running; `ptyless`: without the pty that was asked for. */
void foreground_enter(struct foreground *foreground, bool ptyless) {
    if (ptyless)
        foreground->has_pty = foreground->takes_keys = false;
    foreground->takes_keys = foreground->takes_keys && isatty(0);
    signals_take_forwarded();
    enter_raw(foreground);
    if (foreground->has_pty)
        send_window(foreground); /* it may have been resized while the target was being connected */
}

/* Whether the command, which was started with `&` or continued there, gets the keys once it is in the foreground. */
bool foreground_awaits_terminal(const struct foreground *foreground) {
    return foreground->takes_keys && !tty_is_raw();
}

/* Take the terminal if it is in the foreground by now: a shell sends no signal to a running job. */
void foreground_take_terminal(struct foreground *foreground) {
    enter_raw(foreground);
    if (tty_is_raw())
        send_window(foreground);
}

/* Stop as by the default action of SIGTSTP, so that the shell sees that. Without a shell, as in a window that was
 * opened for the command alone, the system stops nothing, and the command continues at once. */
static void stop(pid_t whom) {
    tty_restore();
    signals_default(SIGTSTP, whom);
    signals_continue();
}

/* Stop everything in the foreground, as the terminal would. On a terminal without job control this stops nothing. */
void foreground_stop_all(const struct foreground *foreground) {
    if (foreground->is_foreign)
        signals_continue();
    else
        stop(0);
}

/* Act on a signal. On a pty the command reports that it was stopped, and then we stop. */
void foreground_act(struct foreground *foreground, int number) {
    if (number == SIGWINCH && foreground->has_pty && send_window(foreground))
        return; /* if the size has not changed, the target's terminal sends no SIGWINCH, so forward it */
    if (number == SIGCONT) {
        enter_raw(foreground);
        if (foreground->has_pty)
            send_window(foreground);
    }
    send_signal(foreground, number);
    if (number == SIGTSTP && !foreground->has_pty)
        stop(getpid());
}
