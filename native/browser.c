/* Opens a URL on this machine, in the browser of whoever typed the command: the same as rdo/client/browser.py. */
#include "rdo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGHEST_FD = 1024 }; /* a limit for descriptors of the caller's that a browser must not keep open */

static const char PLACE[] = "%s"; /* where the URL goes in a command of $BROWSER; without it, at the end */

#ifdef __APPLE__
static const char SYSTEM_BROWSER[] = "open";
#else
static const char SYSTEM_BROWSER[] = "xdg-open";
#endif

/* The word with each placeholder replaced by the URL. */
static char *filled(const char *word, const char *url) {
    struct bytes text = {0};
    for (const char *at; (at = strstr(word, PLACE)) != NULL; word = at + sizeof PLACE - 1) {
        append(&text, word, (size_t)(at - word));
        append_text(&text, url);
    }
    append(&text, word, strlen(word) + 1);
    return text.data;
}

/* Execute a command of $BROWSER, if there is such a program. */
static void become(char *command, char *url) {
    size_t count = 0, room = strlen(command) / 2 + 3;
    bool has_place = strstr(command, PLACE) != NULL;
    char **words = keep(room * sizeof *words);
    for (char *rest = command, *word; (word = strsep(&rest, " ")) != NULL;)
        if (*word != '\0')
            words[count++] = word;
    if (count > 0 && strcmp(words[count - 1], "&") == 0) /* the command is started in the background anyway */
        count--;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        words[i] = filled(words[i], url);
    if (!has_place)
        words[count++] = url;
    words[count] = NULL;
    execvp(words[0], words);
}

/* In a process of its own: execute a browser, or report on `report` that there is none. */
static _Noreturn void run(char *url, int report) {
    const char *given = getenv("BROWSER");
    char *browsers = given == NULL ? NULL : keep_text(given, strlen(given)); /* it gets the complete URL, too */
    char *last[] = {keep_text(SYSTEM_BROWSER, sizeof SYSTEM_BROWSER - 1), url, NULL};
    int null = open("/dev/null", O_RDWR);
    signals_give_back();
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    for (int fd = 3; fd < HIGHEST_FD; fd++)
        if (fd != report)
            close(fd);
    if (browsers != NULL)
        for (char *command; (command = strsep(&browsers, ":")) != NULL;)
            become(command, url);
    execvp(last[0], last);
    _exit(write(report, "", 1) == 1 ? FAILURE : 0);
}

/* Start a browser without waiting for it, and return whether there is one. */
bool browser_open(const char *url, size_t size) {
    int report[2];
    char failure;
    ssize_t count;
    if (pipe(report) != 0)
        return false;
    fcntl(report[0], F_SETFD, FD_CLOEXEC);
    fcntl(report[1], F_SETFD, FD_CLOEXEC);
    pid_t child = fork();
    if (child == 0) { /* its child is adopted by init, so that it leaves no zombie */
        setsid();
        if (fork() == 0)
            run(keep_text(url, size), report[1]);
        _exit(0);
    }
    close(report[1]);
    while ((count = read(report[0], &failure, 1)) < 0 && errno == EINTR) {
    }
    close(report[0]);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && count == 0;
}
