/* Executes the Python client in our place, with the interpreter that an installer has written to its first line, as in
 * bin/rdo: with the original command line, as long as nothing was sent, or to print what is left to say at the end. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __APPLE__
#include <mach-o/dyld.h>
#endif
#ifdef __linux__
#include <sys/auxv.h>
#endif

extern char **environ;

enum { HEAD = 1024, LONGEST_PATH = 4096 };

static char **typed;      /* the words of the command line */
static size_t typed_count;
static bool is_wedged;    /* the master is wedged, so that the Python client need not wait for it, too */
static int start = -1;    /* the directory that we were started in, once we have left it */

void hand_over_from(char **words) {
    typed = words;
    while (words[typed_count] != NULL)
        typed_count++;
}

/* Remember the current directory before changing it. */
void hand_over_directory(void) {
    start = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (start < 0)
        hand_over();
}

/* The path of this program, with links resolved. */
const char *own_path(void) {
    char *path = keep(LONGEST_PATH);
#ifdef __APPLE__
    char found[LONGEST_PATH];
    uint32_t size = sizeof found;
    if (_NSGetExecutablePath(found, &size) == 0 && realpath(found, path) != NULL)
        return path;
#else
    ssize_t size = readlink("/proc/self/exe", path, LONGEST_PATH - 1);
    if (size > 0) {
        path[size] = '\0';
        if (access(path, X_OK) == 0) /* otherwise it is being replaced at this moment */
            return path;
    }
#endif
#ifdef __linux__
    const char *executed = (const char *)getauxval(AT_EXECFN); // NOLINT(performance-no-int-to-ptr)
    if (executed != NULL && realpath(executed, path) != NULL)
        return path;
#endif
    return "/usr/local/bin/rdo";
}

static const char *client_path(void) {
    return path_join(path_parent(own_path()), "rdo-client");
}

static _Noreturn void end_with(int status, const char *what, const char *path, const char *behind) {
    struct bytes line = {0};
    append_text(&line, what);
    append_text(&line, path);
    append_text(&line, behind);
    stream_write_all(2, line.data, line.size);
    _exit(status);
}

static char *strip_suffix(char *text, const char *suffix) {
    size_t size = strlen(text), end = strlen(suffix);
    if (size >= end && strcmp(text + size - end, suffix) == 0)
        text[size - end] = '\0';
    return text;
}

static char *strip_quotes(char *text) {
    if (*text == '\'' || *text == '"')
        text++;
    size_t size = strlen(text);
    if (size > 0 && (text[size - 1] == '\'' || text[size - 1] == '"'))
        text[size - 1] = '\0';
    return text;
}

/* The interpreter of a virtual environment that was moved or copied. */
static const char *own_interpreter(const char *client, const char *python) {
    const char *programs = path_parent(client), *own = path_join(programs, strrchr(python, '/') + 1);
    bool is_venv = access(keep_joined(path_parent(programs), "/pyvenv.cfg", ""), F_OK) == 0;
    return is_venv && access(own, X_OK) == 0 ? own : python;
}

/* The interpreter named in the client's first line, or in its second if the path is too long or contains a space; NULL
 * if it is started in another way. */
static const char *interpreter(const char *client) {
    static char head[HEAD];
    static const char PREFIX[] = "'''exec' ";
    int fd = open(client, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, head, HEAD - 1);
    if (fd < 0 && errno == EMFILE)
        return NULL; /* the kernel can execute it without reading it */
    if (size <= 0)
        end_with(FAILURE, "rdo: cannot read `", client, "`; reinstall rdo; symlink it instead of copying it\n");
    close(fd);
    head[size] = '\0';
    char *rest = head, *first = strsep(&rest, "\n");
    char *second = rest == NULL ? NULL : strsep(&rest, "\n");
    if (strcmp(first, "#!/bin/sh") == 0 && second != NULL) {
        second += strncmp(second, PREFIX, sizeof PREFIX - 1) == 0 ? sizeof PREFIX - 1 : 0;
        first = strip_quotes(strip_suffix(second, " \"$0\" \"$@\""));
    }
    first += strncmp(first, "#!", 2) == 0 ? 2 : 0;
    if (strstr(first, "/python") == NULL && strstr(first, "/pypy") == NULL)
        return NULL;
    const char *python = own_interpreter(client, first);
    return access(python, X_OK) == 0 ? python : NULL;
}

/* Variables by which even an isolated Python takes another place for its own. */
static bool misleads(const char *variable) {
    return strncmp(variable, "PYTHONEXECUTABLE=", 17) == 0 || strncmp(variable, "__PYVENV_LAUNCHER__=", 20) == 0;
}

static void drop_misleading(void) {
    char **kept = environ;
    for (char **variable = environ; *variable != NULL; variable++)
        if (!misleads(*variable))
            *kept++ = *variable;
    *kept = NULL;
}

static void execute(const char *client, const char *python, const char *mode, const char *const *parts,
                    size_t words) {
    size_t part_count = 0, count = 0;
    while (parts != NULL && parts[part_count] != NULL)
        part_count++;
    const char *options[] = {python, "-I", "-X", "utf8", "-X", mode, "-X", "wedged"};
    const char **command = keep((part_count + words + 10) * sizeof *command);
    if (python != NULL)
        for (; count < sizeof options / sizeof *options - (is_wedged ? 0 : 2); count++)
            command[count] = options[count];
    command[count++] = client;
    for (size_t i = 0; i < part_count; i++)
        command[count++] = parts[i];
    for (size_t i = 0; i < words; i++)
        command[count++] = typed[i];
    command[count] = NULL;
    execv(command[0], (char *const *)(void *)command);
}

/* Restore everything as it was when we were started. */
static void return_to_start(void) {
    if (start >= 0 && fchdir(start) != 0)
        end_with(FAILURE, "rdo: cannot return to the working directory: ", failure_reason(errno), "\n");
    signals_give_back();
    socket_close();
    drop_misleading();
}

/* Have the Python client run the command line from the start. */
_Noreturn void hand_over(void) {
    return_to_start();
    const char *client = client_path(), *python = interpreter(client);
    if (python != NULL)
        execute(client, python, "rdo=rdo", NULL, typed_count);
    execute(client, NULL, NULL, NULL, typed_count);
    int status = errno == ENOENT ? NOT_FOUND : 126; /* the same as in sh */
    end_with(status, "rdo: cannot run `", client, keep_joined("`: ", failure_reason(errno), "\n"));
}

/* The same, after the master was silent for the maximum time. */
_Noreturn void hand_over_wedged(void) {
    is_wedged = true;
    hand_over();
}

/* Have Python print what is left to say; see rdo/after_native.py. Returns if that is not possible. */
void hand_over_rest(const char *mode, const char *const *parts, bool with_words) {
    const char *client = client_path(), *python = interpreter(client), *all[6] = {mode};
    for (size_t i = 0; i < 3 && parts != NULL; i++)
        all[i + 1] = parts[i];
    return_to_start();
    if (python != NULL)
        execute(client, python, "rdo=after-native", all, with_words ? typed_count : 0);
}
