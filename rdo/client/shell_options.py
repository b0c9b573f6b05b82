"""Which words of rdo's command line are for the shell: its options up to its command string. Pure."""

from __future__ import annotations

from collections.abc import Set

SHELL_LETTERS = frozenset("abcefhiklmnoprstuvxBCEHOPT")
"""Options of sh: those of POSIX, and further ones of bash, dash, ksh and zsh."""

SHELL_LETTERS_WITH_NAME = "oO"

POSIX_LETTERS = frozenset("abcefhimnouvxC")
"""Letters that POSIX specifies for `sh ... -c`. In such a word they are for the shell, although rdo has some of them,
too.
"""

SCRIPT_LETTERS = frozenset("aefuvx")
"""Letters that a script may combine with `-C` in one word; other letters are the name of a directory."""


def count_words(words: list[str], own: Set[str]) -> int:
    """The number of words that are for the shell: its options up to its command string; 0 if the first is rdo's own.

    `own` are the letters that are rdo's if a word has no other ones. Letters that both have are the shell's if all of
    the words are in POSIX's form of `sh ... -c`.
    """
    first = words[0]
    if first[0] == "-" and not _may_be_option(first, words[1:], own):
        return 0
    count = _count_options(words)
    is_own = first[0] == "-" and own >= set(first[1:].removesuffix("c")) and first != "-c"
    options = [word for word in words[:count] if word[:1] in ("-", "+") and word != "--"]
    return 0 if is_own and not all(POSIX_LETTERS.issuperset(word[1:]) for word in options) else count


def _may_be_option(word: str, rest: list[str], own: Set[str]) -> bool:
    """Whether all letters after the dash, up to one that takes a value, may be options of the shell.

    `rest` is what follows: the name of a profile or a directory never looks like an option.
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
        if letter == "e":  # the name of a variable may follow in the same word
            return len(set(word[index:])) == len(word[index:])
        if letter not in own:
            break
    return True


def _count_options(words: list[str]) -> int:
    """The number of words that are options of sh before its command string; 0 if there is no such string.

    By the grammar of sh: `-c` may be in any of them, `-o` takes a name, `--` ends them.
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
