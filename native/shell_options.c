/* Which words of a command line are for the shell: its options up to its command string. The same as
 * rdo/client/shell_options.py. */
#include "rdo.h"

#include <string.h>

static const char SHELL_LETTERS[] = "abcefhiklmnoprstuvxBCEHOPT"; /* those of POSIX, bash, dash, ksh and zsh */
static const char POSIX_LETTERS[] = "abcefhimnouvxC";
static const char SCRIPT_LETTERS[] = "aefuvx"; /* options that a script may combine with `-C` in one word */
static const char OWN_LETTERS[] = "tTnsmv";

static bool is_any_of(const char *letters, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0' || strchr(letters, text[i]) == NULL)
            return false;
    return true;
}

bool is_own_cluster(const char *letters, size_t size) {
    return is_any_of(OWN_LETTERS, letters, size);
}

static bool is_unique(const char *text, size_t size) {
    for (size_t i = 1; i < size; i++)
        if (memchr(text, text[i], i) != NULL)
            return false;
    return true;
}

static bool is_signed(const char *word) {
    return *word == '-' || *word == '+';
}

/* Whether all letters after the dash, up to one that takes a value, may be options of the shell. */
static bool may_be_shells(const char *word, char **rest, size_t count) {
    if (word[1] == '\0' || word[1] == '-')
        return false;
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        size_t behind = strlen(letter + 1);
        if (*letter == 'C' && behind > 0) {
            if (letter[behind] == 'c' || letter[behind] == 'o')
                behind--;
            return is_any_of(SCRIPT_LETTERS, letter + 1, behind) && is_unique(letter + 1, behind);
        }
        if (*letter == 'p' || *letter == 'C')
            return behind == 0 && count > 0 && is_signed(rest[0]);
        if (*letter == 'e') /* the name of a variable may follow directly */
            return is_unique(letter, behind + 1);
        if (strchr(OWN_LETTERS, *letter) == NULL)
            break;
    }
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= '\x1f');
}

/* Whether it is one word for Python's split(). Anything but ASCII may be a blank in Unicode. */
static bool is_one_word(const char *text) {
    for (const char *c = text; *c != '\0'; c++) {
        if ((unsigned char)*c >= 0x80)
            hand_over();
        if (is_blank(*c))
            return false;
    }
    return *text != '\0';
}

/* The number of words that are options of sh before its command string, by its grammar; 0 if there is no such string.
 * */
static size_t count_options(char **words, size_t count) {
    size_t position = 0;
    bool has_string = false;
    while (position < count) {
        const char *word = words[position], *letters = word + 1;
        if (!is_signed(word) || strcmp(word, "+") == 0)
            break;
        position++;
        if (strcmp(word, "-") == 0 || strcmp(word, "--") == 0)
            break;
        if (!is_any_of(SHELL_LETTERS, letters, strlen(letters)))
            return 0;
        has_string |= *word == '-' && strchr(letters, 'c') != NULL;
        size_t names = 0;
        for (; *letters != '\0'; letters++)
            names += *letters == 'o' || *letters == 'O';
        for (size_t i = position; i < position + names && i < count; i++)
            if (!is_one_word(words[i]))
                return 0;
        position += names;
    }
    return has_string && position < count ? position : 0;
}

static bool is_posix(const char *word) {
    return !is_signed(word) || strcmp(word, "--") == 0 || is_any_of(POSIX_LETTERS, word + 1, strlen(word + 1));
}

/* The number of words that are for the shell; 0 if the first is rdo's own. */
size_t count_shells(char **words, size_t count) {
    const char *first = words[0];
    if (*first == '-' && !may_be_shells(first, words + 1, count - 1))
        return 0;
    size_t found = count_options(words, count);
    size_t size = strlen(first + 1);
    if (size > 0 && first[size] == 'c')
        size--;
    if (*first != '-' || !is_own_cluster(first + 1, size) || strcmp(first, "-c") == 0)
        return found;
    for (size_t i = 0; i < found; i++)
        if (!is_posix(words[i]))
            return 0;
    return found;
}
