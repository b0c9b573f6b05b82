/* Builds the request for a command from the command line and its surroundings: the same bytes as rdo/client/request.py.
 * */
#include "rdo.h"

#include <string.h>
#include <unistd.h>

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

static bool is_job_option(const char *word, size_t size) {
    static const char SERVER[] = "--jobserver";
    bool is_jobs = size >= 2 && memcmp(word, "-j", 2) == 0 && !(size == 3 && word[2] == '1');
    return is_jobs || (size >= sizeof SERVER - 1 && memcmp(word, SERVER, sizeof SERVER - 1) == 0);
}

/* Whether these are the options of a make that runs several jobs at a time. Its variables follow `--`. */
static bool has_jobs(const char *makeflags) {
    const char *end = strstr(makeflags, " -- ");
    size_t size = end == NULL ? strlen(makeflags) : (size_t)(end - makeflags);
    for (size_t i = 0; i < size;) {
        size_t start = i;
        for (; i < size && !is_blank(makeflags[i]); i++)
            if ((unsigned char)makeflags[i] >= 0x80) /* it may be a blank in Unicode */
                hand_over();
        if (is_job_option(makeflags + start, i - start))
            return true;
        i += i < size;
    }
    return false;
}

static bool wants_pty(const struct options *options, const struct environment *environment) {
    if (options->tty >= 0)
        return options->tty;
    if (options->no_stdin || !isatty(0) || !isatty(1) || !isatty(2))
        return false;
    const char *makeflags = environment_get(environment, "MAKEFLAGS");
    return makeflags == NULL || !has_jobs(makeflags) || getpgrp() == getpid();
}

static void append_flags(struct bytes *bytes, const struct options *options, const struct request *request) {
    append_text(bytes, options->shell_string != NULL ? "c" : "");
    append_text(bytes, options->sudo ? "s" : "");
    append_text(bytes, options->no_map ? "m" : "");
    append_text(bytes, options->map_output < 0 ? "" : options->map_output ? "o" : "O");
    append_text(bytes, request->has_pty ? "p" : "");
    append_text(bytes, options->verbose ? "v" : "");
    append_text(bytes, !options->verbose && request->wants_notices ? "g" : "");
    append_text(bytes, request->has_input ? "" : "n");
    append_text(bytes, options->no_sync ? "x" : "");
    append_text(bytes, options->sync_only ? "y" : "");
    append_text(bytes, !options->no_stdin && isatty(0) && isatty(2) ? "a" : "");
}

static void append_field(struct bytes *bytes, const char *text) {
    append(bytes, text, strlen(text) + 1);
}

static void append_shell_options(struct bytes *bytes, const struct options *options) {
    for (size_t i = 0; i < options->shell_option_count; i++) {
        append_text(bytes, i == 0 ? "" : " ");
        append_text(bytes, options->shell_options[i]);
    }
    append(bytes, "", 1);
}

static void append_arguments(struct bytes *bytes, const struct options *options) {
    append_format(bytes, "%zu", options->command_count + (options->shell_string != NULL));
    append(bytes, "", 1);
    if (options->shell_string != NULL)
        append_field(bytes, options->shell_string);
    for (size_t i = 0; i < options->command_count; i++)
        append_field(bytes, options->command[i]);
}

/* `NAME=VALUE` as given; for a bare `NAME` the caller's value, or nothing if the caller has none. */
static void append_variables(struct bytes *bytes, const struct options *options,
                             const struct environment *environment) {
    struct bytes found = {0};
    size_t count = 0;
    for (size_t i = 0; i < options->env_count; i++) {
        const char *item = options->env[i], *value;
        if (strchr(item, '=') != NULL)
            append_text(&found, item);
        else if ((value = environment_get(environment, item)) != NULL)
            append_text(&found, keep_joined(item, "=", value));
        else
            continue;
        append(&found, "", 1);
        count++;
    }
    append_format(bytes, "%zu", count);
    append(bytes, "", 1);
    append(bytes, found.data, found.size);
    discard(&found);
}

static void append_forwards(struct bytes *bytes, const struct options *options) {
    append_format(bytes, "%zu", options->forward_count);
    append(bytes, "", 1);
    for (size_t i = 0; i < options->forward_count; i++)
        append_field(bytes, options->forwards[i]);
}

static void append_terminal(struct bytes *bytes, struct request *request) {
    struct window none = {0};
    request->window = request->has_pty ? tty_window(1) : none;
    if (request->has_pty)
        append_modes(bytes, 0);
    append(bytes, "", 1);
    append_format(bytes, "%u %u %u %u", request->window.rows, request->window.columns, request->window.width,
                  request->window.height);
    append(bytes, "", 1);
}

/* The complete RUN frame. */
void request_build(struct request *request, const struct options *options, const struct found *found,
                   const struct environment *environment) {
    struct bytes payload = {0};
    const char *term = environment_get(environment, "TERM");
    term = term == NULL ? "" : term;
    bool is_simple = *term == '\0' || strcmp(term, "dumb") == 0;
    request->has_pty = wants_pty(options, environment);
    request->is_foreign = request->has_pty && tty_is_foreign(0);
    request->wants_notices = options->verbose || (!is_simple && isatty(2));
    request->is_sync_only = options->sync_only;
    request->has_input = !options->no_stdin && stream_has_input();
    const char *fields[] = {release_version(), release_place(), found->config, options_profile(options, environment),
                            found->stamp,      found->root,   found->pwd,
                            found->cwd};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        append_field(&payload, fields[i]);
    append_flags(&payload, options, request);
    append(&payload, "", 1);
    append_shell_options(&payload, options);
    append_field(&payload, options->remote_directory);
    append_field(&payload, options->user);
    append_field(&payload, term);
    append_terminal(&payload, request);
    append_arguments(&payload, options);
    append_variables(&payload, options, environment);
    append_forwards(&payload, options);
    for (size_t i = 0; i < environment->count; i++)
        append_field(&payload, environment->items[i]);
    payload.size--; /* NUL bytes are between fields, not after them */
    if (payload.size > FRAME_LIMIT)
        hand_over();
    append_frame(&request->frame, 'R', payload.data, payload.size);
    discard(&payload);
}
