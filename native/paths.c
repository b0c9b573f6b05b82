/* Joining, normalising and comparing file names. */
#include "rdo.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

char *path_join(const char *directory, const char *name) {
    return keep_joined(directory, strcmp(directory, "/") == 0 ? "" : "/", name);
}

char *path_parent(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash == path ? keep_text("/", 1) : keep_text(path, (size_t)(slash - path));
}

/* The working directory with links resolved; NULL if it no longer exists. */
char *path_working_directory(void) {
    for (size_t size = 1024;; size *= 2) {
        char *buffer = keep(size);
        if (getcwd(buffer, size) != NULL)
            return *buffer == '/' ? buffer : NULL;
        if (errno != ERANGE)
            hand_over();
    }
}

/* Append a component to the path in `found`, of which the first `root` bytes stay; `..` removes the last component. */
static void add_part(struct bytes *found, size_t root, const char *part, size_t size) {
    if (size == 0 || (size == 1 && *part == '.'))
        return;
    bool is_up = size == 2 && memcmp(part, "..", 2) == 0;
    size_t last = found->size;
    while (last > root && found->data[last - 1] != '/')
        last--;
    bool after_up = found->size - last == 2 && memcmp(found->data + last, "..", 2) == 0;
    if (is_up && found->size > root && !after_up) {
        found->size = last > root ? last - 1 : root;
        return;
    }
    if (is_up && root > 0)
        return;
    if (found->size > root)
        append(found, "/", 1);
    append(found, part, size);
}

/* The name in the directory without `.`, `..` and doubled slashes, as os.path.normpath() spells it. */
const char *path_normal(const char *directory, const char *name) {
    struct bytes joined = {0}, found = {0};
    if (*name != '/') {
        append_text(&joined, directory);
        if (joined.size > 0 && joined.data[joined.size - 1] != '/')
            append(&joined, "/", 1);
    }
    append_text(&joined, name);
    const char *rest = as_text(&joined);
    size_t slashes = strspn(rest, "/"), root = slashes == 2 ? 2 : slashes > 0;
    append(&found, "//", root);
    while (*rest != '\0') {
        size_t size = strcspn(rest, "/");
        add_part(&found, root, rest, size);
        rest += size + (rest[size] == '/');
    }
    if (found.size == 0)
        append(&found, ".", 1);
    return as_text(&found);
}

bool path_is_at_or_below(const char *directory, const char *top) {
    size_t size = strlen(top);
    if (strcmp(directory, top) == 0)
        return true;
    while (size > 0 && top[size - 1] == '/')
        size--;
    return strncmp(directory, top, size) == 0 && directory[size] == '/';
}

/* Whether both are the same file, or neither exists. */
bool path_is_same(const char *one, const char *other) {
    struct stat a, b;
    bool has_one = stat(one, &a) == 0, has_other = stat(other, &b) == 0;
    return has_one && has_other ? a.st_dev == b.st_dev && a.st_ino == b.st_ino : has_one == has_other;
}

/* Whether a component of an absolute path is empty, `.` or `..`. */
static bool has_odd_part(const char *path) {
    for (const char *part = path + 1;; part++) {
        size_t size = strcspn(part, "/");
        if (size == 0 || (size == 1 && *part == '.') || (size == 2 && memcmp(part, "..", 2) == 0))
            return true;
        part += size;
        if (*part == '\0')
            return false;
    }
}

/* $PWD if it names the working directory, as POSIX specifies for `pwd -L`, without two slashes in a row. */
char *path_logical(const char *pwd, const char *cwd) {
    bool is_odd = strcmp(pwd, cwd) == 0 || *pwd != '/' || has_odd_part(pwd);
    const char *found = !is_odd && path_is_same(pwd, ".") ? pwd : cwd;
    return keep_text(found, strlen(found));
}

/* The time of the last modification, in nanoseconds. */
long long modified_ns(const struct stat *info) {
#ifdef __APPLE__
    return info->st_mtimespec.tv_sec * 1000000000LL + info->st_mtimespec.tv_nsec;
#else
    return info->st_mtim.tv_sec * 1000000000LL + info->st_mtim.tv_nsec;
#endif
}
