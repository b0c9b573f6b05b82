/* Where the user's control master listens: the same as rdo/ipc/address.py. If anything is odd about the directory, the
 * Python client reports it. */
#include "rdo.h"

#include <string.h>
#include <unistd.h>

enum { SOCKET_PATH_LIMIT = 103 };
enum { LONGEST_NAME = sizeof "/rdo/control-0123456789abcdef.1234567" - 1 };

static const char *private_directory(const char *directory) {
    struct stat info;
    if (lstat(directory, &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != geteuid() || info.st_mode & 077)
        hand_over();
    return directory;
}

static const char *runtime_directory(const struct environment *environment) {
    const char *base = environment_get(environment, "XDG_RUNTIME_DIR");
    struct stat info;
    if (base != NULL && *base == '/' && strlen(base) < SOCKET_PATH_LIMIT - LONGEST_NAME &&
        stat(base, &info) == 0 && info.st_uid == geteuid() && !(info.st_mode & 022))
        return private_directory(keep_joined(base, "/rdo", ""));
    struct bytes name = {0};
    append_format(&name, "/tmp/rdo-%llu", (unsigned long long)geteuid());
    return private_directory(as_text(&name));
}

/* The path of the master's socket. */
const char *socket_path(const struct environment *environment) {
    return keep_joined(runtime_directory(environment), "/control", "");
}
