/* How an error is shown: in one line, as in rdo/errors.py. Text that is not plain ASCII is left to Python, which knows
 * what of it can be sent to a terminal. */
#include "rdo.h"

#include <string.h>

enum { LONGEST_PART = 1500 };

static bool is_plain(const char *part) {
    for (const char *c = part; *c != '\0'; c++)
        if (*c < ' ' || *c > '~' || (c[0] == ' ' && c[1] == ' '))
            return false;
    return strlen(part) <= LONGEST_PART;
}

static void append_escaped(struct bytes *line, const char *part) {
    for (; *part != '\0'; part++) {
        if (*part >= ' ' && *part <= '~')
            append(line, part, 1);
        else
            append_format(line, "\\x%02x", (unsigned char)*part);
    }
}

/* Why a system call failed. The name of the error begins in lower case, since it continues a line. */
const char *failure_reason(int error) {
    const char *name = strerror(error);
    char *reason = keep_text(name, strlen(name));
    if (*reason >= 'A' && *reason <= 'Z')
        *reason = (char)(*reason - 'A' + 'a');
    return reason;
}

void failure_show(const char *what, const char *why, const char *hint) {
    const char *parts[] = {what, why, hint, NULL};
    struct bytes line = {0};
    if (!is_plain(what) || !is_plain(why) || !is_plain(hint))
        hand_over_rest("error", parts, false);
    append_text(&line, "rdo: ");
    append_escaped(&line, what);
    append_text(&line, *why != '\0' ? ": " : "");
    append_escaped(&line, why);
    append_text(&line, *hint != '\0' ? "; " : "");
    append_escaped(&line, hint);
    append_text(&line, "\n");
    stream_write_all(2, line.data, line.size);
    discard(&line);
}
