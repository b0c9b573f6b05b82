/* The steps of a command with their times, on stderr, for `-v`: the same as in rdo/client/run.py. */
#include "rdo.h"

#include <string.h>

enum { MOST = 4 };

struct step {
    const char *name;
    double ms;
};

static bool is_enabled;
static double began; /* the start of this process, in milliseconds */
static struct step kept[MOST];
static size_t kept_count;

static double ms_of(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

uint64_t now_ms(void) {
    return (uint64_t)ms_of(CLOCK_MONOTONIC);
}

void trace_enable(void) {
    is_enabled = true;
    began = ms_of(CLOCK_MONOTONIC) - ms_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void show(const struct step *step, const char *end) {
    struct bytes line = {0};
    append_format(&line, "rdo: %7.1f ms  %s%s", step->ms, step->name, end);
    stream_write_all(2, line.data, line.size);
    discard(&line);
}

static struct step step_now(const char *name) {
    return (struct step){name, ms_of(CLOCK_MONOTONIC) - began};
}

/* Note a step, to be printed once it is certain that the Python client will not print it, too. */
void trace_keep(const char *name) {
    if (is_enabled && kept_count < MOST)
        kept[kept_count++] = step_now(name);
}

void trace_kept(void) {
    for (size_t i = 0; i < kept_count; i++)
        show(kept + i, "\n");
    kept_count = 0;
}

void trace_step(const char *name) {
    const struct step step = step_now(name);
    if (is_enabled)
        show(&step, tty_is_raw() ? "\r\n" : "\n");
}
