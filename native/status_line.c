/* A temporary line on the caller's terminal, which shows what the first command waits for. See
 * rdo/client/status_line.py: it is written after the cursor, which then returns to its position. */
#include "rdo.h"

#include <unistd.h>

static const char BEFORE[] = "\0337\033[?7l"; /* save the cursor; no line wrap */
static const char CLEAR[] = "\033[K";
static const char BEHIND[] = "\033[?7h\0338";

static bool is_shown;

static void put(const char *data, size_t size) {
    if (write(2, data, size) < 0) {
        /* the terminal is gone, and the line with it */
    }
}

/* Show a line in place of the previous one; not in the background, where it would garble the output of others. */
void status_line_show(const char *line, size_t size) {
    struct bytes shown = {0};
    size_t columns = tty_window(2).columns, all = count_utf8(line, size);
    if (!tty_is_in_front(2)) {
        is_shown = false;
        return;
    }
    if (!is_shown)
        signals_take_for_status_line();
    is_shown = true;
    append_text(&shown, BEFORE);
    append_utf8(&shown, line, size, columns > 0 ? columns - 1 : all > 0 ? all - 1 : 0);
    append_text(&shown, CLEAR);
    append_text(&shown, BEHIND);
    put(shown.data, shown.size);
    discard(&shown);
}

/* Erase the line, if one is shown. */
void status_line_erase(void) {
    if (is_shown)
        put(CLEAR, sizeof CLEAR - 1);
    is_shown = false;
    signals_leave_status_line();
}
