/* The options of a command line, whose words are what NUL bytes part. What is found lies among them. */
#include "kept.h"

#include <setjmp.h>

static jmp_buf handed_over;

_Noreturn void hand_over(void) {
    longjmp(handed_over, 1);
}

static char **split(char *text, size_t size, size_t *count) {
    char **words = keep((size + 1) * sizeof *words);
    *count = 0;
    for (char *word = text; word < text + size; word += strlen(word) + 1)
        words[(*count)++] = word;
    words[*count] = NULL;
    return words;
}

static void check(const struct options *options, char **words, size_t count) {
    require(options->command >= words && options->command + options->command_count == words + count);
    require(options->env_count <= count && options->shell_option_count <= count + 1);
    for (size_t i = 0; i < options->shell_option_count; i++)
        require(*options->shell_options[i] == '-' || *options->shell_options[i] == '+' || i > 0);
    require(options->directory && options->profile && options->project && options->remote_directory && options->user);
}

static void parse(char *text, size_t size) {
    struct environment none = {0};
    struct options options;
    size_t count;
    char **words = split(text, size, &count);
    if (options_parse(&options, words, count)) {
        check(&options, words, count);
        require(*options_profile(&options, &none) != '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (setjmp(handed_over) == 0)
        parse(keep_text((const char *)data, size), size);
    give_back();
    return 0;
}
