/* Finds `.rdo.conf` in a directory or its parents, as rdo/project.py does, and what changes when a config file does.
 * Reads no file. */
#include "rdo.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char CONFIG[] = ".rdo.conf";
static const char LOCAL_CONFIG[] = ".rdo.local.conf";
static const char *const OF_A_PROCESS[] = {"/proc/self", "/proc/thread-self", "/dev/fd", "/dev/std"};
enum { MOST_LINKS = 40 };

static const char *value_of(const struct environment *environment, const char *name) {
    const char *value = environment_get(environment, name);
    return value == NULL ? "" : value;
}

static const char *user_file(const struct environment *environment) {
    const char *directory = value_of(environment, "XDG_CONFIG_HOME");
    if (*directory != '/')
        directory = keep_joined(value_of(environment, "HOME"), "/.config", "");
    return keep_joined(directory, "/rdo/config.toml", "");
}

static void append_stamp(struct bytes *stamp, const char *path) {
    struct stat info;
    if (stat(path, &info) != 0)
        append_text(stamp, "-");
    else
        append_format(stamp, "%lld:%lld:%llu:%u:%u:%u", modified_ns(&info), (long long)info.st_size,
                      (unsigned long long)info.st_ino, (unsigned)info.st_mode, (unsigned)info.st_uid,
                      (unsigned)info.st_gid);
}

static const char *stamp_of(const char *config, const char *user) {
    struct bytes stamp = {0};
    append_stamp(&stamp, user);
    append(&stamp, " ", 1);
    append_stamp(&stamp, config);
    append(&stamp, " ", 1);
    append_stamp(&stamp, path_join(path_parent(config), LOCAL_CONFIG));
    return as_text(&stamp);
}

/* The nearest directory with a config; NULL if there is none. */
static const char *walk_up(const char *directory) {
    struct stat info;
    for (;;) {
        if (lstat(path_join(directory, CONFIG), &info) == 0)
            return directory;
        if (strcmp(directory, "/") == 0)
            return NULL;
        directory = path_parent(directory);
    }
}

static bool is_of_a_process(const char *path) {
    for (size_t i = 0; i < sizeof OF_A_PROCESS / sizeof *OF_A_PROCESS; i++)
        if (strncmp(path, OF_A_PROCESS[i], strlen(OF_A_PROCESS[i])) == 0)
            return true;
    return false;
}

/* Make sure that, if a config is a link, it leads to a file that is the same for each process. */
static void check_link(const char *config) {
    const char *path = config;
    char target[PATH_MAX];
    struct stat info;
    for (int i = 0; i < MOST_LINKS; i++) {
        ssize_t size = readlink(path, target, sizeof target);
        if (size < 0)
            break;
        const char *found = keep_text(target, (size_t)size);
        path = *found == '/' ? found : path_join(path_parent(path), found);
        if (is_of_a_process(path))
            hand_over();
    }
    if (path != config && stat(config, &info) != 0)
        hand_over();
}

static char *resolved(const char *path) {
    char *found = realpath(path, NULL);
    if (found == NULL)
        hand_over();
    char *kept = keep_text(found, strlen(found));
    free(found);
    return kept;
}

/* Whether the way up leaves the home directory before it reaches `root`, under any name. */
static bool leads_through(const char *home, const char *start, const char *root) {
    struct stat info;
    if (stat(home, &info) != 0)
        return false;
    for (const char *directory = start; strcmp(directory, root) != 0; directory = path_parent(directory))
        if (path_is_same(directory, home))
            return true;
    return false;
}

/* Whether the way up stays within the file system, and does not lead out of the home directory. */
static bool is_within_reach(const char *root, const char *start, const char *home) {
    struct stat top, bottom;
    if (strcmp(root, start) == 0)
        return true;
    if (stat(root, &top) != 0 || stat(start, &bottom) != 0)
        hand_over();
    return top.st_dev == bottom.st_dev && (path_is_at_or_below(root, home) || !leads_through(home, start, root));
}

static void fill(struct found *found, const char *root, const char *physical, const char *user) {
    found->root = root;
    found->config = path_join(physical, CONFIG);
    check_link(found->config);
    found->stamp = stamp_of(found->config, user);
}

/* The config of a directory that was named. A working directory outside of it counts as that directory itself. */
static void fill_named(struct found *found, const char *project, const char *user) {
    struct stat info;
    const char *root = path_normal(found->pwd, project), *physical = resolved(root);
    fill(found, root, physical, user);
    if (stat(found->config, &info) != 0)
        hand_over();
    if (!path_is_at_or_below(found->pwd, root) && !path_is_at_or_below(found->cwd, physical)) {
        found->pwd = root;
        found->cwd = physical;
    }
}

/* The nearest config in the working directory or its parents: by $PWD first, then by the physical path. */
void project_discover(struct found *found, const struct environment *environment, const char *project) {
    const char *user = user_file(environment);
    found->cwd = path_working_directory();
    if (found->cwd == NULL)
        hand_over();
    found->pwd = path_logical(value_of(environment, "PWD"), found->cwd);
    if (*project != '\0') {
        fill_named(found, project, user);
        return;
    }
    const char *starts[] = {found->pwd, found->cwd};
    for (size_t i = strcmp(found->pwd, found->cwd) == 0; i < 2; i++) {
        const char *root = walk_up(starts[i]);
        if (root == NULL || !is_within_reach(root, starts[i], value_of(environment, "HOME")))
            continue;
        fill(found, root, i == 1 ? root : resolved(root), user);
        return;
    }
    hand_over();
}
