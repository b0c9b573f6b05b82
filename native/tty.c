/* The caller's terminal: its size, its modes, and who may read it. */
#include "rdo.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct key {
    const char *name;
    size_t index;
};

struct mode {
    const char *name;
    tcflag_t flag;
};

/* The keys and flags that are sent, by their names for stty(1): see rdo/client/tty.py. */
static const struct key KEYS[] = {
    {"intr", VINTR}, {"quit", VQUIT}, {"erase", VERASE}, {"kill", VKILL},   {"eof", VEOF},
    {"eol", VEOL},   {"eol2", VEOL2}, {"start", VSTART}, {"stop", VSTOP},   {"susp", VSUSP},
    {"rprnt", VREPRINT}, {"werase", VWERASE}, {"lnext", VLNEXT},
};
static const struct mode INPUT_MODES[] = {
    {"ignpar", IGNPAR}, {"parmrk", PARMRK}, {"inpck", INPCK}, {"istrip", ISTRIP}, {"inlcr", INLCR},     {"igncr", IGNCR},
    {"icrnl", ICRNL},   {"ixon", IXON},     {"ixany", IXANY}, {"ixoff", IXOFF},   {"imaxbel", IMAXBEL},
};
static const struct mode OUTPUT_MODES[] = {
    {"opost", OPOST}, {"onlcr", ONLCR}, {"ocrnl", OCRNL}, {"onocr", ONOCR}, {"onlret", ONLRET},
};
static const struct mode LOCAL_MODES[] = {
    {"isig", ISIG},     {"icanon", ICANON}, {"echo", ECHO},     {"echoe", ECHOE},     {"echok", ECHOK},     {"echonl", ECHONL},
    {"noflsh", NOFLSH}, {"tostop", TOSTOP}, {"iexten", IEXTEN}, {"echoctl", ECHOCTL}, {"echoke", ECHOKE},
};
enum { BEYOND = 0x80, IUTF8_MODE = 040000 }; /* the first code that not every stty(1) can spell; the same everywhere */

static struct termios saved; /* the modes of stdin's terminal, while it is in raw mode */
static bool is_raw;

/* The size of the terminal `fd`. */
struct window tty_window(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0)
        return (struct window){24, 80, 0, 0};
    return (struct window){size.ws_row, size.ws_col, size.ws_xpixel, size.ws_ypixel};
}

static void append_keys(struct bytes *bytes, const struct termios *modes, int fd) {
    long disabled = fpathconf(fd, _PC_VDISABLE);
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        unsigned char code = modes->c_cc[KEYS[i].index];
        if (code == disabled)
            append_format(bytes, "%s=undef ", KEYS[i].name);
        else if (code < BEYOND)
            append_format(bytes, "%s=%d ", KEYS[i].name, code);
    }
}

static void append_flags(struct bytes *bytes, const struct mode *table, size_t count, tcflag_t flags) {
    for (size_t i = 0; i < count; i++)
        append_format(bytes, "%s=%d ", table[i].name, (flags & table[i].flag) != 0);
}

static bool is_in_background(int fd) {
    pid_t group = tcgetpgrp(fd);
    return group >= 0 && group != getpgrp();
}

/* The modes of the terminal `fd`, as in the request; nothing if it is not a terminal, or if a shell has set its modes
 * for a prompt. */
void append_modes(struct bytes *bytes, int fd) {
    struct termios modes;
    if (is_in_background(fd) || tcgetattr(fd, &modes) != 0)
        return;
    append_keys(bytes, &modes, fd);
    append_flags(bytes, INPUT_MODES, sizeof INPUT_MODES / sizeof *INPUT_MODES, modes.c_iflag);
    append_flags(bytes, OUTPUT_MODES, sizeof OUTPUT_MODES / sizeof *OUTPUT_MODES, modes.c_oflag);
    append_flags(bytes, LOCAL_MODES, sizeof LOCAL_MODES / sizeof *LOCAL_MODES, modes.c_lflag);
    append_format(bytes, "iutf8=%d", (modes.c_iflag & IUTF8_MODE) != 0);
}

bool tty_is_in_front(int fd) {
    return tcgetpgrp(fd) == getpgrp();
}

/* Whether it is a terminal without job control for us: the process that started us opened it without making it our
 * session's. */
bool tty_is_foreign(int fd) {
    return isatty(fd) && tcgetpgrp(fd) < 0;
}

/* Whether input on the terminal is meant for us, who did not set it to raw mode: not in the background, nor while
 * another program reads single keys from it. */
bool tty_is_ours(int fd) {
    struct termios modes;
    pid_t group = tcgetpgrp(fd);
    if (group >= 0 && group != getpgrp())
        return false;
    return group < 0 || tcgetattr(fd, &modes) != 0 || (modes.c_lflag & ICANON);
}

/* Whether another program reads single keys from the terminal, and so has the screen, too. */
bool tty_is_taken(int fd) {
    struct termios modes;
    return !is_raw && tcgetattr(fd, &modes) == 0 && (modes.c_lflag & ICANON) == 0;
}

static bool set(int fd, const struct termios *modes) {
    while (tcsetattr(fd, TCSADRAIN, modes) != 0)
        if (errno != EINTR)
            return false;
    return true;
}

bool tty_is_raw(void) {
    return is_raw;
}

/* Let every key through, as cfmakeraw(3) does; not in the background, where that would stop us. If it was raw before, a
 * shell that saw us stopped (SIGSTOP) may have set its own modes meanwhile. */
void tty_enter_raw(void) {
    if (is_in_background(0)) {
        is_raw = false;
        return;
    }
    if (!is_raw && tcgetattr(0, &saved) != 0)
        return;
    struct termios raw = saved;
    raw.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    is_raw = set(0, &raw) || is_raw; /* if that fails, the terminal is gone */
}

/* Whether the key of that index sends a signal, as set in the terminal before it was raw. */
static bool sends_signal(size_t index) {
    return is_raw && (saved.c_lflag & ISIG) && saved.c_cc[index] != fpathconf(0, _PC_VDISABLE);
}

/* Whether the input contains the suspend key. */
bool tty_has_suspend_key(const char *typed, size_t size) {
    return sends_signal(VSUSP) && memchr(typed, saved.c_cc[VSUSP], size) != NULL;
}

/* Whether the input, which is not empty, ends with the interrupt key. */
bool tty_ends_with_interrupt_key(const char *typed, size_t size) {
    return sends_signal(VINTR) && (unsigned char)typed[size - 1] == saved.c_cc[VINTR];
}

/* Restore the original modes. */
void tty_restore(void) {
    if (is_raw)
        set(0, &saved); /* if that fails, the terminal is gone, and its modes with it */
    is_raw = false;
}
