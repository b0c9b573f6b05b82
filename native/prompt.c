/* Asks the questions of a login on the controlling terminal, whatever stdin is. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

enum { LONGEST = 4096 };

static int open_terminal(void) {
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

/* Read a line unless a signal interrupts that, and return its size; -1 if it does, or at the end. In the background,
 * reading stops us. */
static ssize_t read_line(int fd, char *line) {
    while (!signals_is_interrupted()) {
        struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = signals_fd(), .events = POLLIN}};
        if (tty_is_in_front(fd) && (poll(ready, 2, -1) < 0 || ready[0].revents == 0)) {
            signals_drain();
            continue;
        }
        ssize_t size = read(fd, line, LONGEST);
        if (size >= 0 || errno != EINTR)
            return size > 0 ? size : -1;
    }
    return -1;
}

static void ask(struct bytes *answer, int fd, const char *question, size_t size, bool echo) {
    struct termios modes, silent;
    struct bytes shown = {0};
    char line[LONGEST];
    if (tcgetattr(fd, &modes) != 0) {
        append_text(answer, "0");
        return;
    }
    silent = modes;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    if (!echo)
        tcsetattr(fd, TCSAFLUSH, &silent);
    append_utf8(&shown, question, size, size);
    ssize_t typed = write(fd, shown.data, shown.size) < 0 ? -1 : read_line(fd, line);
    discard(&shown);
    if (!echo && !signals_is_interrupted() && write(fd, "\n", 1) < 0)
        typed = -1;
    while (tcsetattr(fd, TCSADRAIN, &modes) != 0 && errno == EINTR) {
    }
    while (typed > 0 && (line[typed - 1] == '\n' || line[typed - 1] == '\r'))
        typed--;
    append_text(answer, typed < 0 ? "0" : "1");
    append(answer, line, typed < 0 ? 0 : (size_t)typed);
}

/* Append the size, for a question that follows: earlier input, or what the terminal itself has sent, is not an answer.
 * */
static void append_size(struct bytes *answer, int fd) {
    struct window size = tty_window(fd);
    if (tcflush(fd, TCIFLUSH) != 0) /* it has just been hung up */
        append_text(answer, "0");
    else
        append_format(answer, "1%u %u", size.rows ? size.rows : 24, size.columns ? size.columns : 80);
}

/* Append the payload of ANSWER to a PROMPT with this payload. */
void append_answer(struct bytes *answer, const char *prompt, size_t size) {
    int fd = open_terminal();
    if (fd < 0) {
        append_text(answer, "0");
        return;
    }
    if (size > 0 && *prompt == 'w')
        append_size(answer, fd);
    else
        ask(answer, fd, prompt + (size > 0), size - (size > 0), size > 0 && *prompt == '1');
    close(fd);
}
