/* The variables for the request. As in Python, each name occurs once, with the first of its values. */
#include "rdo.h"

#include <stdlib.h>
#include <string.h>

/* As in rdo/project.py: variables that name a local file. */
static const char *const PATHS[] = {"RDO_SSH_CONFIG", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
                                    "VAGRANT_CWD",    "VAGRANT_HOME",  "SSH_AUTH_SOCK"};
static const char SOCKET_URL[] = "unix://";

static size_t name_size(const char *item) {
    return (size_t)(strchr(item, '=') - item);
}

static int compare_names(const char *one, const char *other) {
    size_t size = name_size(one), other_size = name_size(other);
    int order = memcmp(one, other, size < other_size ? size : other_size);
    return order != 0 ? order : (size > other_size) - (size < other_size);
}

static int compare_places(const void *one, const void *other) {
    char **a = *(char **const *)one, **b = *(char **const *)other;
    int order = compare_names(*a, *b);
    return order != 0 ? order : (a > b) - (a < b);
}

/* Set items to NULL whose name occurred before. */
static void drop_repeated(char **items, size_t count) {
    char ***places = malloc(count * sizeof *places);
    if (places == NULL)
        hand_over();
    for (size_t i = 0; i < count; i++)
        places[i] = items + i;
    qsort(places, count, sizeof *places, compare_places);
    size_t first = 0;
    for (size_t i = 1; i < count; i++) {
        if (compare_names(*places[first], *places[i]) == 0)
            *places[i] = NULL;
        else
            first = i;
    }
    free(places);
}

void environment_read(struct environment *environment, char **variables) {
    size_t count = 0;
    while (variables[count] != NULL)
        count++;
    /* environment_set() may add PWD and RDO_INSIDE, and no others. */
    environment->items = keep((count + 2) * sizeof *environment->items);
    environment->count = 0;
    for (size_t i = 0; i < count; i++)
        if (strchr(variables[i], '=') != NULL)
            environment->items[environment->count++] = variables[i];
    if (environment->count == 0)
        return;
    drop_repeated(environment->items, environment->count);
    size_t kept = 0;
    for (size_t i = 0; i < environment->count; i++)
        if (environment->items[i] != NULL)
            environment->items[kept++] = environment->items[i];
    environment->count = kept;
}

static char **find(const struct environment *environment, const char *name) {
    size_t size = strlen(name);
    for (size_t i = 0; i < environment->count; i++)
        if (strncmp(environment->items[i], name, size) == 0 && environment->items[i][size] == '=')
            return environment->items + i;
    return NULL;
}

/* The value; NULL if there is no such variable. */
const char *environment_get(const struct environment *environment, const char *name) {
    char **item = find(environment, name);
    return item == NULL ? NULL : *item + strlen(name) + 1;
}

void environment_set(struct environment *environment, const char *name, const char *value) {
    char **item = find(environment, name);
    if (item == NULL)
        item = environment->items + environment->count++;
    *item = keep_joined(name, "=", value);
}

/* Otherwise, Python asks the user database, which a static program cannot do. */
bool environment_has_home(const struct environment *environment) {
    const char *home = environment_get(environment, "HOME");
    return home != NULL && *home != '\0';
}

/* Make paths absolute before they are sent to a master, whose working directory is `/`. */
void environment_make_absolute(struct environment *environment) {
    for (size_t i = 0; i < sizeof PATHS / sizeof *PATHS; i++) {
        const char *value = environment_get(environment, PATHS[i]);
        if (value != NULL && *value != '\0' && *value != '/' && *value != '~')
            environment_set(environment, PATHS[i], keep_joined(path_working_directory(), "/", value));
    }
    const char *host = environment_get(environment, "DOCKER_HOST");
    size_t size = sizeof SOCKET_URL - 1;
    if (host != NULL && strncmp(host, SOCKET_URL, size) == 0 && host[size] != '/') {
        const char *path = keep_joined(path_working_directory(), "/", host + size);
        environment_set(environment, "DOCKER_HOST", keep_joined(SOCKET_URL, path, ""));
    }
}
