/* The interfaces of the native client's files, with one section per file; relay.h has those that are needed only while
 * a command runs. The protocol is specified in PROTOCOL.md, section 1.
 *
 * The client is the `rdo` that people and Makefiles run. Whatever it does not do itself, or finds odd, it hands over to
 * the Python client before anything is sent: that one has the messages and all rare features. */
#ifndef RDO_H
#define RDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

enum { FAILURE = 255, NOT_FOUND = 127, INTERRUPTED = 130 };

/* memory.c: memory that is kept to the end, and growing buffers. */
struct bytes {
    char *data;
    size_t size, room;
};

void *keep(size_t size);
char *keep_text(const char *text, size_t size);
char *keep_joined(const char *first, const char *second, const char *third);
char *reserve(struct bytes *bytes, size_t size);
void append(struct bytes *bytes, const void *data, size_t size);
void append_text(struct bytes *bytes, const char *text);
void append_format(struct bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *as_text(struct bytes *bytes);
void discard(struct bytes *bytes);

/* environment.c: the variables for the request. Those of this process stay as they are. */
struct environment {
    char **items; /* NAME=VALUE, each name once */
    size_t count;
};

void environment_read(struct environment *environment, char **variables);
const char *environment_get(const struct environment *environment, const char *name);
void environment_set(struct environment *environment, const char *name, const char *value);
bool environment_has_home(const struct environment *environment);
void environment_make_absolute(struct environment *environment);

/* options.c: rdo's own options, separated from the command. */
struct options {
    char **command, **env, **forwards, **shell_options;
    size_t command_count, env_count, forward_count, shell_option_count;
    const char *directory, *profile, *project, *remote_directory, *user, *shell_string;
    bool fallback, sudo, verbose, no_map, no_stdin, no_sync, sync_only, watch;
    int map_output, tty; /* -1: not given */
};

bool options_parse(struct options *options, char **words, size_t count);
const char *options_profile(const struct options *options, const struct environment *environment);

/* shell_options.c: which of the words are for the shell. */
size_t count_shells(char **words, size_t count);
bool is_own_cluster(const char *letters, size_t size);

/* paths.c: file names. */
char *path_join(const char *directory, const char *name);
const char *path_normal(const char *directory, const char *name);
char *path_parent(const char *path);
char *path_working_directory(void);
bool path_is_at_or_below(const char *directory, const char *top);
bool path_is_same(const char *one, const char *other);
char *path_logical(const char *pwd, const char *cwd);
long long modified_ns(const struct stat *info);

/* project.c: which `.rdo.conf` applies. */
struct found {
    const char *config, *root, *pwd, *cwd, *stamp;
};

void project_discover(struct found *found, const struct environment *environment, const char *project);

/* release.c: which installation of rdo this is. */
const char *release_place(void);
const char *release_version(void);

/* address.c: where the master listens. */
const char *socket_path(const struct environment *environment);

/* sockets.c: a connection to the master. */
enum { ACCEPT_TIMEOUT_MS = 3000 }; /* for a master to accept a connection, and then a request */

int socket_connect(const char *path);
bool socket_is_unread(int fd);
void socket_close(void);

/* request.c: what RUN asks for. */
struct window {
    unsigned rows, columns, width, height;
};

struct request {
    struct bytes frame;
    struct window window;
    bool has_pty, has_input, is_sync_only;
    bool is_foreign;    /* stdin was a terminal without job control for us, which is not known once that is gone */
    bool wants_notices; /* notices of events while the command runs */
};

void request_build(struct request *request, const struct options *options, const struct found *found,
                   const struct environment *environment);

/* frames.c: what the master sends, however it was split. */
enum { HEADER_SIZE = 5, FRAME_LIMIT = 16 * 1024 * 1024 };

struct frame {
    char kind;
    const char *data;
    size_t size;
};

struct decoder {
    struct bytes buffer; /* the start of an incomplete frame */
    const char *data;    /* received, and not parsed yet */
    size_t size;
    char kind; /* of the stream frame in progress, or the last one, as are the next two */
    uint32_t length;
    size_t left;
    uint32_t too_long; /* the length of a frame that was too long */
    bool is_given;     /* the frame in the buffer was returned */
};

void decoder_receive(struct decoder *decoder, const char *data, size_t size);
bool decoder_next(struct decoder *decoder, struct frame *frame);
void write_header(char *header, char kind, size_t length);
void append_frame(struct bytes *bytes, char kind, const void *payload, size_t size);

/* tty.c: the caller's terminal. */
struct window tty_window(int fd);
void append_modes(struct bytes *bytes, int fd);
bool tty_is_ours(int fd);
bool tty_is_in_front(int fd);
bool tty_is_foreign(int fd);
bool tty_is_raw(void);
bool tty_has_suspend_key(const char *typed, size_t size);
bool tty_ends_with_interrupt_key(const char *typed, size_t size);
bool tty_is_taken(int fd);
void tty_enter_raw(void);
void tty_restore(void);

/* prompt.c: the questions of a login. */
void append_answer(struct bytes *bytes, const char *prompt, size_t size);

/* utf8.c */
void append_utf8(struct bytes *bytes, const char *text, size_t size, size_t most);
size_t count_utf8(const char *text, size_t size);

/* status_line.c: a temporary line on the terminal. */
void status_line_show(const char *line, size_t size);
void status_line_erase(void);

/* signals.c: signals that have arrived, one at a time. */
bool signals_open(void);
int signals_fd(void);
void signals_drain(void);
void signals_take_interrupt(void);
void signals_take_for_status_line(void);
void signals_leave_status_line(void);
void signals_take_forwarded(void);
int signals_next(void);
bool signals_is_interrupted(void);
bool signals_is_interrupt_typed(void);
const char *signals_name(int number);
void signals_default(int number, pid_t whom);
void signals_continue(void);
void signals_die(int number, pid_t whom);
void signals_give_back(void);

/* streams.c: the caller's stdin, stdout and stderr, whose flags we must not change. */
void streams_open(void);
bool stream_has_input(void);
ssize_t stream_read(void *data, size_t size);
ssize_t stream_write(int fd, const void *data, size_t size);
void stream_write_all(int fd, const void *data, size_t size);
void stream_end_output(void);

/* browser.c: opens a URL of the command on this machine. */
bool browser_open(const char *url, size_t size);

/* relay.c: runs one command, from the request to the exit status. */
struct relay_result {
    int status;
    bool is_failure, is_unreachable, is_stale, is_wedged;
    bool interrupts_all; /* Ctrl-C has ended the command, and would have ended everything in the foreground */
    const char *what, *why, *hint;
};

void relay_run(struct relay_result *result, int socket, const char *path, const struct request *request);

/* trace.c: the steps of a command and their times, for `-v`. */

void trace_enable(void);
void trace_keep(const char *name);
void trace_kept(void);
void trace_step(const char *name);
uint64_t now_ms(void);

/* failure.c: how an error is shown. */
const char *failure_reason(int error);
void failure_show(const char *what, const char *why, const char *hint);

/* hint.c: whether a hint may be due for a command that was not found. */
bool hint_is_due(const struct options *options);

/* handover.c: executes the Python client in our place. */
void hand_over_from(char **words);
void hand_over_directory(void);
const char *own_path(void);
_Noreturn void hand_over(void);
_Noreturn void hand_over_wedged(void);
void hand_over_rest(const char *mode, const char *const *parts, bool with_words);

#endif
