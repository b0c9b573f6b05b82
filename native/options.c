/* Separates rdo's own options from the command, as rdo/client/argv.py does. Errors and rare options are not handled
 * here: the Python client then parses the words again. */
#include "rdo.h"

#include <string.h>

struct flag {
    const char *name;
    size_t offset;
    int value; /* for an int; a bool is set to true */
    bool is_number;
};

#define BOOL(name, field) {name, offsetof(struct options, field), 1, false}
#define NUMBER(name, field, value) {name, offsetof(struct options, field), value, true}
#define VALUE(name, field) {name, offsetof(struct options, field), 0, false}

static const struct flag FLAGS[] = {
    NUMBER("-t", tty, 1),           NUMBER("-T", tty, 0),           BOOL("-n", no_stdin),
    BOOL("--fallback", fallback),   BOOL("-s", sudo),               BOOL("--sudo", sudo),
    BOOL("--no-map", no_map),       NUMBER("-m", map_output, 1),    NUMBER("--map-output", map_output, 1),
    NUMBER("--no-map-output", map_output, 0), BOOL("-v", verbose),  BOOL("--verbose", verbose),
    BOOL("--no-sync", no_sync),     BOOL("--sync-only", sync_only), BOOL("--watch", watch),
};

static const struct flag VALUES[] = {
    VALUE("-p", profile),       VALUE("--profile", profile), VALUE("-e", env),
    VALUE("--env", env),        VALUE("-c", shell_string),   VALUE("-C", directory),
    VALUE("--project", project), VALUE("--dir", remote_directory), VALUE("-u", user),
    VALUE("--user", user),      VALUE("-L", forwards),       VALUE("-R", forwards),
    VALUE("-D", forwards),
};

static const struct flag *find(const struct flag *table, size_t count, const char *name, size_t size) {
    for (size_t i = 0; i < count; i++)
        if (strlen(table[i].name) == size && memcmp(table[i].name, name, size) == 0)
            return table + i;
    return NULL;
}

static bool set_flag(struct options *options, const char *name, size_t size) {
    const struct flag *flag = find(FLAGS, sizeof FLAGS / sizeof *FLAGS, name, size);
    if (flag == NULL)
        return false;
    if (flag->is_number)
        *(int *)(void *)((char *)options + flag->offset) = flag->value;
    else
        *(bool *)(void *)((char *)options + flag->offset) = true;
    return true;
}

static const struct flag *find_value(const char *name, size_t size) {
    return find(VALUES, sizeof VALUES / sizeof *VALUES, name, size);
}

static bool is_variable(const char *item) {
    size_t size = strcspn(item, "=");
    if (size == 0 || (*item >= '0' && *item <= '9'))
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = item[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(c >= '0' && c <= '9'))
            return false;
    }
    return true;
}

static bool set_value(struct options *options, const struct flag *option, char *value) {
    if (option->offset == offsetof(struct options, env)) {
        options->env[options->env_count++] = value;
        return is_variable(value);
    }
    if (option->offset == offsetof(struct options, forwards)) {
        char letter[] = {option->name[1], '\0'};
        options->forwards[options->forward_count++] = keep_joined(letter, value, "");
        return *value != '\0';
    }
    if (option->offset == offsetof(struct options, directory)) {
        bool is_relative = *options->directory != '\0' && *value != '/';
        options->directory = is_relative ? keep_joined(options->directory, "/", value) : value;
        return true;
    }
    *(const char **)(void *)((char *)options + option->offset) = value;
    return *value != '\0' || option->offset == offsetof(struct options, shell_string);
}

/* Parse a long option, and skip the words it takes. False if it is invalid. */
static bool read_long(struct options *options, char *word, char **rest, size_t count, size_t *position) {
    size_t size = strcspn(word, "=");
    if (word[size] == '\0' && set_flag(options, word, size))
        return true;
    const struct flag *option = find_value(word, size);
    if (option == NULL)
        return false;
    if (word[size] == '=')
        return set_value(options, option, word + size + 1);
    if (count == 0)
        return false;
    ++*position;
    return set_value(options, option, rest[0]);
}

/* The same for `-x`, `-xyz` or `-xVALUE`, the first `size` bytes of a word. */
static bool read_cluster(struct options *options, char *word, size_t size, char **rest, size_t count,
                         size_t *position) {
    for (size_t i = 1; i < size; i++) {
        char name[] = {'-', word[i]};
        if (set_flag(options, name, sizeof name))
            continue;
        const struct flag *option = find_value(name, sizeof name);
        if (option == NULL)
            return false;
        if (i + 1 < size)
            return set_value(options, option, word + i + 1);
        if (word[i] == 'c' || count == 0)
            return false;
        ++*position;
        return set_value(options, option, rest[0]);
    }
    return true;
}

static void begin(struct options *options, size_t count) {
    static char string_option[] = "-c";
    static char *only[] = {string_option};
    memset(options, 0, sizeof *options);
    options->directory = options->profile = options->project = options->remote_directory = options->user = "";
    options->map_output = options->tty = -1;
    options->shell_options = only;
    options->shell_option_count = 1;
    options->env = keep((count + 1) * sizeof *options->env);
    options->forwards = keep((count + 1) * sizeof *options->forwards);
}

/* `-tc`: `-t` followed by `-c`. */
static bool is_own_before_string(const char *word, size_t size) {
    return size > 2 && word[0] == '-' && word[size - 1] == 'c' && is_own_cluster(word + 1, size - 2);
}

/* Parse the options before the first other word. False if the Python client has to do it. `words` may be changed, but
 * not the strings that it points to. */
bool options_parse(struct options *options, char **words, size_t count) {
    static char string_option[] = "-c";
    size_t position = 0, none = 0;
    begin(options, count);
    while (position < count) {
        char *word = words[position];
        size_t size = strlen(word), shells;
        if ((*word == '-' || *word == '+') && (shells = count_shells(words + position, count - position)) > 0) {
            options->shell_options = words + position;
            options->shell_option_count = shells;
            options->shell_string = words[position + shells];
            position += shells + 1;
            break;
        }
        if (is_own_before_string(word, size)) {
            read_cluster(options, word, size - 1, NULL, 0, &none);
            words[position] = string_option;
            continue;
        }
        position += strcmp(word, "--") == 0;
        if (strcmp(word, "--") == 0 || strcmp(word, "-") == 0 || *word != '-')
            break;
        position++;
        char **rest = words + position;
        bool is_right = word[1] == '-' ? read_long(options, word, rest, count - position, &position)
                                       : read_cluster(options, word, size, rest, count - position, &position);
        if (!is_right)
            return false;
        if (options->shell_string != NULL)
            break;
    }
    options->command = words + position;
    options->command_count = count - position;
    return true;
}

static const char *or_else(const char *value, const char *other) {
    return value != NULL && *value != '\0' ? value : other;
}

/* The profile's name: as given, else from the environment (RDO_ENV is that of the first rdo). */
const char *options_profile(const struct options *options, const struct environment *environment) {
    const char *first = or_else(environment_get(environment, "RDO_ENV"), "default");
    return or_else(options->profile, or_else(environment_get(environment, "RDO_PROFILE"), first));
}
