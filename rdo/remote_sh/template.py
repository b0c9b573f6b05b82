"""Text for the target's shell: the .sh files of this package, each as one line, and words. Pure, but for those files.

They are read and minified once, when a module that has use for one is loaded, so that an upgrade in place changes
nothing for a control master that runs. `@NAME@` in a file is a place for a value, which the caller quotes if it is a
word.

A line is as short as it may be: a shell reads its script a byte at a time. To minify takes only as much of the language
as the files of this package need, and what it would have to understand is refused. A line of a file is a whole command,
or a part of a compound one that ends where the grammar allows a newline. Comments stand on lines of their own.
`# On the wire: first_word=f` gives a name of the file a shorter one.
"""

from __future__ import annotations

import os.path
import re
from itertools import pairwise

ON_THE_WIRE = "# On the wire: "

_GOES_ON = re.compile(r"(?:^|.*\s)(?:then|do|else|in|\{|&&?|\|\|?)|.*;;|[^()]+\)")
"""A line after which a command begins, or goes on: a reserved word, an operator, the pattern of a `case`."""

_REFUSED = re.compile(r"\s#|<<|\\$")
"""A comment after a command, a here-document, a line that continues on the next."""

_CLOSED = re.compile(r"""(?:[^'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")*""")
"""A line in which every quote has its end."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USED = re.compile(r"(?<![-%\\A-Za-z0-9_])[A-Za-z_][A-Za-z0-9_]*")
"""A word that may be a name: not a letter of an option, of a format or after a backslash."""

_PLACE = re.compile("@([A-Z_]+)@")

NEWLINE = '"$rdo_n"'
"""How a newline is spelled in a script, which is one line itself. Set by newline.sh."""

_PLAIN_WORD = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def load(name: str, **values: str) -> str:
    """The text of a file, on one line without its newline, with these values; other places stay as they are."""
    text = minify(source(name))
    return _PLACE.sub(lambda match: values.get(match[1], match[0]), text)


def fill(text: str, **values: str) -> str:
    """The text with all places filled in. What a value holds is not looked at again."""
    return _PLACE.sub(lambda match: values[match[1]], text)


def source(name: str) -> str:
    """What the file says."""
    with open(os.path.join(os.path.dirname(__file__), f"{name}.sh"), encoding="ascii") as file:
        return file.read()


def quote(word: str) -> str:
    """The word for a shell, on one line."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''").replace("\n", f"'{NEWLINE}'") + "'"


def minify(script: str) -> str:
    """One line without its newline. Raises ValueError for what is not understood."""
    lines = [line.strip() for line in script.splitlines()]
    code = [_checked(line) for line in lines if line and not line.startswith("#")]
    text = "".join(line + _glue(line, after) for line, after in pairwise([*code, ""]))
    names = short_names(script)
    if taken := set(_USED.findall(text)) & set(names.values()) - set(names):
        raise ValueError(f"names that are taken: {sorted(taken)}")
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def short_names(script: str) -> dict[str, str]:
    """The names that a file gives a shorter one, and these. Raises ValueError for a name without `_`, which may be a
    word of some text, and where two would become one.
    """
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
    """What stands between a line and the next."""
    if not after or line.endswith("(") or after.startswith((")", ";;")):
        return ""
    return " " if _GOES_ON.fullmatch(line) else "; "
