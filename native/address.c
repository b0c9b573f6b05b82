/* Where the control master of a project listens: as rdo/ipc/address.py has it. All that is odd about the directory is the
 * Python client's to say. */
#include "rdo.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SOCKET_PATH_LIMIT = 103, STATUS_SIZE = 8192 };
enum { LONGEST_NAME = sizeof "/rdo/.0123456789abcdef.1234567" - 1 };

static const char *const GUIDES[] = {
    "HOME", "RDO_SSH_CONFIG", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS",
    "DOCKER_TLS_VERIFY", "VAGRANT_CWD", "VAGRANT_DOTFILE_PATH", "VAGRANT_VAGRANTFILE", "VAGRANT_HOME",
    "VAGRANT_DEFAULT_PROVIDER"};
static const char *const NAMESPACES[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};

static int compare_ids(const void *one, const void *other) {
    gid_t a = *(const gid_t *)one, b = *(const gid_t *)other;
    return (a > b) - (a < b);
}

static void append_groups(struct bytes *text) {
    int count = getgroups(0, NULL);
    gid_t *groups = keep((size_t)(count > 0 ? count : 1) * sizeof *groups);
    if (count < 0 || (count > 0 && (count = getgroups(count, groups)) < 0))
        hand_over();
    qsort(groups, (size_t)count, sizeof *groups, compare_ids);
    for (int i = 0; i < count; i++)
        append_format(text, ", %llu", (unsigned long long)groups[i]);
}

static void append_namespaces(struct bytes *text) {
    const char *comma = "";
    append_text(text, "[");
    for (size_t i = 0; i < sizeof NAMESPACES / sizeof *NAMESPACES; i++) {
        char target[64];
        ssize_t size = readlink(keep_joined("/proc/self/ns/", NAMESPACES[i], ""), target, sizeof target - 1);
        if (size < 0)
            continue; /* no Linux */
        append_format(text, "%s'%.*s'", comma, (int)size, target);
        comma = ", ";
    }
    append_text(text, "]");
}

/* What is in the file; nothing where it cannot be read. */
static struct bytes read_file(const char *path) {
    struct bytes found = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return found;
    ssize_t size = read(fd, reserve(&found, STATUS_SIZE), STATUS_SIZE - 1);
    found.size = size > 0 ? (size_t)size : 0;
    close(fd);
    return found;
}

/* From CapInh to Seccomp_filters, and the personality, as Linux has them; cut where Python's find() would cut. */
static void append_privileges(struct bytes *text) {
    struct bytes status = read_file("/proc/self/status"), personality = read_file("/proc/self/personality");
    size_t size = status.size;
    const char *all = as_text(&status);
    if (size > 0) {
        const char *first = strstr(all, "\nCapInh:"), *end = strstr(all, "\nSpeculation"), *last = all + size - 1;
        first = first == NULL ? last : first;
        end = end == NULL ? last : end;
        if (end > first)
            append(text, first, (size_t)(end - first));
    }
    append(text, personality.data, personality.size);
    discard(&personality);
}

static void append_surroundings(struct bytes *text) {
    struct stat info;
    if (stat(keep_joined(release_place(), "/..", ""), &info) != 0)
        hand_over();
    append_format(text, "[%llu, %llu, %llu", (unsigned long long)info.st_dev, (unsigned long long)info.st_ino,
                  (unsigned long long)getegid());
    append_groups(text);
    append_text(text, "]");
    append_namespaces(text);
    append_privileges(text);
}

/* The remainder of the bytes, as one large number, by 2**64 - 59: 256 times what came before, and the next byte. */
static uint64_t digest(const char *data, size_t size) {
    const uint64_t prime = UINT64_MAX - 58;
    uint64_t rest = 0;
    for (size_t i = 0; i < size; i++) {
        uint64_t over = (rest >> 56) * 59; /* 2**64 is 59 more than the prime */
        rest = rest << 8 | (unsigned char)data[i];
        if (rest > UINT64_MAX - over)
            over += 59;
        rest += over;
        if (rest >= prime)
            rest -= prime;
    }
    return rest;
}

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

/* Where the master of this config file and profile listens. */
const char *socket_path(const struct found *found, const char *profile, const struct environment *environment) {
    struct bytes text = {0}, path = {0};
    append_text(&path, runtime_directory(environment));
    append_text(&text, found->config);
    append(&text, "", 1);
    append_text(&text, profile);
    append(&text, "", 1);
    append_surroundings(&text);
    for (size_t i = 0; i < sizeof GUIDES / sizeof *GUIDES; i++) {
        const char *value = environment_get(environment, GUIDES[i]);
        if (value == NULL || *value == '\0')
            continue;
        append(&text, "", 1);
        append_text(&text, GUIDES[i]);
        append_text(&text, "=");
        append_text(&text, value);
    }
    append_format(&path, "/%016" PRIx64, digest(text.data, text.size));
    discard(&text);
    return as_text(&path);
}
