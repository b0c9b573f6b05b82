/* Whether a hint may be due for a command that was not found. Its text is up to rdo/client/command_hint.py. */
#include "rdo.h"

#include <string.h>
#include <unistd.h>

static const char SHELL_SYNTAX[] = " \t\n|&;<>()$`\\\"'*?[]#~=%{}";

/* Each word has a blank before and after it. */
static const char RDOCTL[] =
    " allow completion deny doctor explain forward help ide init log man open ports schema service shim status stop sync ";
static const char BUILTINS[] =
    " . : [[ alias bg bind builtin caller cd command compgen complete compopt declare dirs disown enable eval exec exit "
    "export fc fg getopts hash help history jobs let local logout mapfile popd pushd read readarray readonly return "
    "set shift shopt source suspend times trap type typeset ulimit umask unalias unset wait if for while until case "
    "function select time ";

static bool has_word(const char *words, const char *word) {
    return *word != '\0' && strstr(words, keep_joined(" ", word, " ")) != NULL;
}

bool hint_is_due(const struct options *options) {
    if (options->shell_string != NULL || options->command_count == 0)
        return false;
    const char *name = options->command[0];
    if (has_word(RDOCTL, name))
        return true;
    return isatty(2) && (strpbrk(name, SHELL_SYNTAX) != NULL || has_word(BUILTINS, name));
}
