"""Text for the target's shell: the .sh files of this package, each reduced to one line, and quoted words. Pure, except
for reading these files.

A file is read and minified once, when a module that uses it is loaded, so that an upgrade in place does not affect a
running control master. `@NAME@` in a file is replaced by a value, which the caller quotes if it is a word.

Lines are kept short, since a shell reads its script one byte at a time. The minifier understands only as much shell
syntax as the files of this package need, and refuses the rest. A line in a file is a complete command, or a part of a
compound command that ends where the grammar allows a newline. Comments are on lines of their own. `# On the wire:
first_word=f` replaces a name in the file by a shorter one.
"""

from __future__ import annotations

import os.path
import re
from itertools import pairwise

ON_THE_WIRE = "# On the wire: "

_GOES_ON = re.compile(r"(?:^|.*\s)(?:then|do|else|in|\{|&&?|\|\|?)|.*;;|[^()]+\)")
"""A line after which a command begins or continues: one that ends in a reserved word, an operator, or the pattern of a
`case`."""

_REFUSED = re.compile(r"\s#|<<|\\$")
"""A comment after a command, a here-document, or a line continuation."""

_CLOSED = re.compile(r"""(?:[^'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*""")
"""A line in which every quote is closed."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USED = re.compile(r"(?<![-%\\A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*")
"""A word that may be a name, rather than a letter of an option, of a format or after a backslash."""

_PLACE = re.compile("@([A-Z_]+)@")

NEWLINE = '"$rdo_n"'
"""How a newline is spelled in a script, which is itself one line. Set by newline.sh."""

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def load(name: str, **values: str) -> str:
    """The text of a file as one line without its newline, with these values filled in. Other placeholders are kept."""
    text = minify(source(name))
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def fill(text: str, **values: str) -> str:
    """The text with all placeholders replaced. Values are not searched for placeholders."""
    return _PLACE.sub(lambda match: values[match[1]], text)


def source(name: str) -> str:
    """The content of the file."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.sh"), encoding="ascii") as file:
        return file.read()


def quote(word: str) -> str:
    """The word quoted for a shell, on one line."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''").replace("\n", f"'{NEWLINE}'") + "'"


def minify(script: str) -> str:
    """The script as one line without its newline. Raises ValueError for what is not supported."""
    lines = [line.strip() for line in script.splitlines()]
    code = [_checked(line) for line in lines if line and not line.startswith("#")]
    text = "".join(line + _glue(line, after) for line, after in pairwise([*code, ""]))
    names = short_names(script)
    if taken := set(_USED.findall(text)) & set(names.values()) - set(names):
        raise ValueError(f"names that are taken: {sorted(taken)}")
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def short_names(script: str) -> dict[str, str]:
    """The names that a file shortens, with their replacements. Raises ValueError for a name without `_`, which might be
    a word in some text, and if two names would become one."""
    given = [line.removeprefix(ON_THE_WIRE).split() for line in script.splitlines() if line.startswith(ON_THE_WIRE)]
    names = dict(pair.split("=") for pairs in given for pair in pairs)
    short = list(names.values())
    if faults := [name for name in names if "_" not in name] or [name for name in short if short.count(name) > 1]:
        raise ValueError(f"no names for the wire: {faults}")
    return names


def _checked(line: str) -> str:
    if _REFUSED.search(line) or not _CLOSED.fullmatch(line):
        raise ValueError(f"not understood: {line}")
    return line.removesuffix(";;").rstrip() + ";;" if line.endswith(";;") else line


def _glue(line: str, after: str) -> str:
    """What to put between a line and the next."""
    if not after or line.endswith("(") or after.startswith((")", ";;")):
        return ""
    return " " if _GOES_ON.fullmatch(line) else "; "
