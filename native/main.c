/* `rdo`: runs one command, from parsing the command line to the exit status. */
#include "rdo.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

/* Set by rdo for each command on the target, and here for all its children: see rdo/__main__.py. */
static const char ON_TARGET[] = "RDO_ON_TARGET";
static const char INSIDE[] = "RDO_INSIDE";

static char **copied(char **words, size_t count) {
    char **copy = keep((count + 1) * sizeof *copy);
    memcpy(copy, words, count * sizeof *copy);
    copy[count] = NULL;
    return copy;
}

/* Options that only the Python client implements. */
static bool is_rare(const struct options *options) {
    if (options->watch || (options->sync_only && (options->command_count > 0 || options->shell_string != NULL)))
        return true;
    for (size_t i = 0; i < options->shell_option_count; i++)
        if (strcmp(options->shell_options[i], "-n") == 0) /* with it, the shell runs nothing, which a hint explains */
            return true;
    return false;
}

/* Go to the directory of `-C`, and set $PWD accordingly, as `cd` does. */
static void change_directory(const char *directory, struct environment *environment) {
    const char *pwd = environment_get(environment, "PWD");
    hand_over_directory();
    if (chdir(directory) != 0)
        hand_over();
    const char *cwd = path_working_directory();
    if (cwd == NULL)
        hand_over();
    environment_set(environment, "PWD", path_logical(path_normal(pwd == NULL ? "" : pwd, directory), cwd));
}

static void set_inside(struct environment *environment, const char *root) {
    const char *outer = environment_get(environment, INSIDE);
    environment_set(environment, INSIDE, outer == NULL ? root : keep_joined(outer, ":", root));
}

/* Print the final messages, and exit. */
static _Noreturn void finish(const struct relay_result *result, const struct options *options) {
    const char *parts[] = {result->what, result->why, result->hint};
    if (result->is_wedged)
        hand_over_wedged();
    if (result->is_stale)
        hand_over();
    trace_kept();
    if (result->is_unreachable && options->fallback)
        hand_over_rest("fallback", parts, true);
    if (result->is_failure)
        failure_show(result->what, result->why, result->hint);
    else if (result->status == NOT_FOUND && hint_is_due(options))
        hand_over_rest("hint", NULL, true);
    if (result->interrupts_all)
        signals_die(SIGINT, 0); /* a script goes on unless it gets the signal as well */
    if (result->status == INTERRUPTED && (isatty(2) || signals_is_interrupt_typed()))
        signals_die(SIGINT, getpid()); /* otherwise a shell would not break its loop; $? is 130 either way */
    _exit(result->status);
}

int main(int argc, char **argv) {
    static char *none[] = {NULL};
    char **words = argc > 0 ? argv + 1 : none;
    size_t count = argc > 0 ? (size_t)argc - 1 : 0;
    struct options options;
    struct environment environment;
    struct found found;
    struct request request = {0};
    struct relay_result result = {0};

    hand_over_from(words);
    streams_open();
    if (!options_parse(&options, copied(words, count), count) || is_rare(&options))
        hand_over();
    if (options.verbose)
        trace_enable();
    trace_keep("client start");
    environment_read(&environment, environ);
    if (environment_get(&environment, ON_TARGET) != NULL)
        hand_over();
    if (!environment_has_home(&environment))
        hand_over();
    environment_make_absolute(&environment);
    if (*options.directory != '\0')
        change_directory(options.directory, &environment);
    project_discover(&found, &environment, options.project);
    set_inside(&environment, found.root);
    const char *path = socket_path(&environment);
    if (!signals_open())
        hand_over();
    int connection = socket_connect(path);
    request_build(&request, &options, &found, &environment);
    signals_take_interrupt();
    trace_keep("control socket");
    relay_run(&result, connection, path, &request);
    finish(&result, &options);
}
