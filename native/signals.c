/* Signals, handled one at a time: a handler notes each, and wakes the waiting thread through a pipe. Signals that the
 * caller ignores are still ignored. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct forwarded {
    int number;
    const char *name;
};

static const struct forwarded FORWARDED[] = {
    {SIGHUP, "HUP"},   {SIGINT, "INT"},   {SIGQUIT, "QUIT"}, {SIGUSR1, "USR1"}, {SIGUSR2, "USR2"},
    {SIGTERM, "TERM"}, {SIGTSTP, "TSTP"}, {SIGCONT, "CONT"}, {SIGWINCH, "WINCH"},
};
enum { COUNT = sizeof FORWARDED / sizeof *FORWARDED, HIGHEST = 64 };

/* Signals that end or stop a client while a line is shown and its command has not started yet. SIGINT always does. */
static const int OF_STATUS_LINE[] = {SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

static volatile sig_atomic_t has_come[HIGHEST];
static volatile sig_atomic_t is_interrupt_typed;
static int wakeup[2] = {-1, -1};
static bool is_taken[HIGHEST];
static struct sigaction pipe_action, size_action; /* the caller's, for SIGPIPE and SIGXFSZ */
static sigset_t mask;                             /* the caller's */

static void note(int number) {
    int error = errno;
    has_come[number] = 1;
    if (number == SIGCONT) /* as the kernel does for pending signals */
        has_come[SIGTSTP] = 0;
    if (number == SIGTSTP)
        has_come[SIGCONT] = 0;
    if (write(wakeup[1], "", 1) < 0) {
        /* it is full, and so wakes the thread */
    }
    errno = error;
}

/* The system itself sends SIGINT for a key. */
static bool is_key(const siginfo_t *info) {
#ifdef SI_KERNEL
    return info->si_code == SI_KERNEL;
#else
    return info == NULL; /* other systems do not report that */
#endif
}

static void take_note(int number, siginfo_t *info, void *context) {
    (void)context;
    if (number == SIGINT && is_key(info))
        is_interrupt_typed = 1;
    note(number);
}

static bool set_flags(int fd) {
    return fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

/* Begin. As in Python, writing to a pipe without a reader, or beyond a limit, becomes an ordinary error. */
bool signals_open(void) {
    struct sigaction ignored;
    memset(&ignored, 0, sizeof ignored);
    ignored.sa_handler = SIG_IGN;
    sigprocmask(SIG_SETMASK, NULL, &mask);
    if (pipe(wakeup) != 0 || !set_flags(wakeup[0]) || !set_flags(wakeup[1]))
        return false;
    return sigaction(SIGPIPE, &ignored, &pipe_action) == 0 && sigaction(SIGXFSZ, &ignored, &size_action) == 0;
}

int signals_fd(void) {
    return wakeup[0];
}

void signals_drain(void) {
    char rest[64];
    while (read(wakeup[0], rest, sizeof rest) > 0) {
    }
}

static void set_taken(int number, bool taken) {
    struct sigaction action;
    memset(&action, 0, sizeof action); /* without SA_RESTART, so that a waiting call is interrupted */
    action.sa_handler = SIG_DFL;
    if (taken) {
        action.sa_flags = SA_SIGINFO;
        action.sa_sigaction = take_note;
    }
    sigaction(number, &action, NULL);
    is_taken[number] = taken;
}

/* Handle the signal, unless the caller ignores it. */
static void take(int number) {
    struct sigaction now;
    if (!is_taken[number] && sigaction(number, NULL, &now) == 0 && now.sa_handler != SIG_IGN)
        set_taken(number, true);
}

void signals_take_interrupt(void) {
    take(SIGINT);
}

void signals_take_for_status_line(void) {
    for (size_t i = 0; i < sizeof OF_STATUS_LINE / sizeof *OF_STATUS_LINE; i++)
        take(OF_STATUS_LINE[i]);
}

void signals_leave_status_line(void) {
    for (size_t i = 0; i < sizeof OF_STATUS_LINE / sizeof *OF_STATUS_LINE; i++)
        if (is_taken[OF_STATUS_LINE[i]] && !is_taken[SIGWINCH])
            set_taken(OF_STATUS_LINE[i], false);
}

static void unblock(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* Forward signals to the command from now on, including those that were blocked. */
void signals_take_forwarded(void) {
    sigset_t taken;
    sigemptyset(&taken);
    for (size_t i = 0; i < COUNT; i++) {
        take(FORWARDED[i].number);
        if (is_taken[FORWARDED[i].number])
            sigaddset(&taken, FORWARDED[i].number);
    }
    sigprocmask(SIG_UNBLOCK, &taken, NULL);
}

/* A signal that has arrived; 0 if none has. */
int signals_next(void) {
    for (size_t i = 0; i < COUNT; i++)
        if (has_come[FORWARDED[i].number]) {
            has_come[FORWARDED[i].number] = 0;
            return FORWARDED[i].number;
        }
    return 0;
}

bool signals_is_interrupted(void) {
    return has_come[SIGINT];
}

/* Whether Ctrl-C was typed, if that is known. */
bool signals_is_interrupt_typed(void) {
    return is_interrupt_typed;
}

const char *signals_name(int number) {
    for (size_t i = 0; i < COUNT; i++)
        if (FORWARDED[i].number == number)
            return FORWARDED[i].name;
    return "";
}

/* Send the signal to `whom` with its default action. Returns if that only stops us, or the signal is ignored. */
void signals_default(int number, pid_t whom) {
    bool was_taken = is_taken[number];
    if (was_taken)
        set_taken(number, false);
    unblock(number);
    kill(whom, number);
    if (was_taken)
        set_taken(number, true);
}

/* Continue as after SIGCONT, which is not sent if a stop had no effect. */
void signals_continue(void) {
    note(SIGCONT);
}

/* Die of the signal, if that is possible: we alone, or with 0 our whole process group. */
void signals_die(int number, pid_t whom) {
    set_taken(number, false);
    unblock(number);
    kill(whom, number);
}

/* Restore the caller's signal settings, for the program that is executed in our place. */
void signals_give_back(void) {
    if (wakeup[0] < 0)
        return;
    for (int number = 1; number < HIGHEST; number++)
        if (is_taken[number])
            set_taken(number, false);
    close(wakeup[0]);
    close(wakeup[1]);
    sigaction(SIGPIPE, &pipe_action, NULL);
    sigaction(SIGXFSZ, &size_action, NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}
