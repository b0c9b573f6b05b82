"""Which words of rdo's command line are the shell's: its options up to its command string. Pure."""

from __future__ import annotations

from collections.abc import Set

SHELL_LETTERS = frozenset("abcefhiklmnoprstuvxBCEHOPT")
"""Options of sh: those of POSIX, and those of bash, dash, ksh and zsh beside them."""

SHELL_LETTERS_WITH_NAME = "oO"

POSIX_LETTERS = frozenset("abcefhimnouvxC")
"""Those that POSIX has for `sh ... -c`: there they are the shell's, though some of them are rdo's elsewhere."""

SCRIPT_LETTERS = frozenset("aefuvx")
"""Of these, what follows `-C` in one word for the sake of a script; other letters are a directory's name."""


def count_words(words: list[str], own: Set[str]) -> int:
    """How many of the words are the shell's: its options up to its command string; 0 if the first is rdo's own.

    `own`: letters that are rdo's where a word before the shell's has no other ones.
    Letters that are both rdo's and the shell's are the shell's where POSIX has all of the words for `sh ... -c`.
    """
    first = words[0]
    if first[0] == "-" and not _may_be_option(first, words[1:], own):
        return 0
    count = _count_options(words)
    is_own = first[0] == "-" and own >= set(first[1:].removesuffix("c")) and first != "-c"
    options = [word for word in words[:count] if word[:1] in ("-", "+") and word != "--"]
    return 0 if is_own and not all(POSIX_LETTERS.issuperset(word[1:]) for word in options) else count


def _may_be_option(word: str, rest: list[str], own: Set[str]) -> bool:
    """Whether the letters after the dash, up to one that takes a value, can be the shell's.

    `rest` is what follows: no profile and no directory has a name that looks like an option.
    """
    if word[1:2] in ("", "-"):
        return False
    for index, letter in enumerate(word[1:], start=1):
        after = word[index + 1 :]
        if letter == "C" and after:
            letters = after[:-1] if after[-1] in "co" else after
            return SCRIPT_LETTERS.issuperset(letters) and len(set(letters)) == len(letters)
        if letter in "pC":
            return not after and rest[:1] != [] and rest[0].startswith(("-", "+"))
        if letter == "e":  # a variable's name may follow in the same word
            return len(set(word[index:])) == len(word[index:])
        if letter not in own:
            break
    return True


def _count_options(words: list[str]) -> int:
    """How many of the words are options of sh before its command string; 0 if there is no such string.

    By the grammar of sh: `-c` may stand in any of them, `-o` takes a name, `--` ends them.
    """
    position, has_string = 0, False
    while position < len(words):
        word = words[position]
        letters = word[1:]
        if word[:1] not in ("-", "+") or word == "+":
            break
        position += 1
        if word in ("-", "--"):
            break
        if not SHELL_LETTERS.issuperset(letters):
            return 0
        has_string |= word[0] == "-" and "c" in letters
        names = sum(map(letters.count, SHELL_LETTERS_WITH_NAME))
        if any(name.split() != [name] for name in words[position : position + names]):
            return 0
        position += names
    return position if has_string and position < len(words) else 0
