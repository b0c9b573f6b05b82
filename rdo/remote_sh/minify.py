"""Makes the text of a .sh file into one line, as short as it may be: a shell reads its script a byte at a time. Pure.

It knows only as much of the language as the files of this package need, and refuses what it would have to understand. A
line of a file is a whole command, or a part of a compound one that ends where the grammar allows a newline. Comments
stand on lines of their own. `# On the wire: first_word=f` gives a name of the file a shorter one.
"""

from __future__ import annotations

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


def minify(source: str) -> str:
    """One line without its newline. Raises ValueError for what is not understood."""
    lines = [line.strip() for line in source.splitlines()]
    code = [_checked(line) for line in lines if line and not line.startswith("#")]
    text = "".join(line + _glue(line, after) for line, after in pairwise([*code, ""]))
    return _rename(text, short_names(source))


def short_names(source: str) -> dict[str, str]:
    """The names that a file gives a shorter one, and these. Raises ValueError for a name without `_`, which may be a
    word of some text, and where two would become one.
    """
    given = [line.removeprefix(ON_THE_WIRE).split() for line in source.splitlines() if line.startswith(ON_THE_WIRE)]
    names = dict(pair.split("=") for pairs in given for pair in pairs)
    if faults := [name for name in names if "_" not in name] or _twice(list(names.values())):
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


def _rename(text: str, names: dict[str, str]) -> str:
    if taken := set(_USED.findall(text)) & set(names.values()) - set(names):
        raise ValueError(f"names that are taken: {sorted(taken)}")
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def _twice(words: list[str]) -> list[str]:
    return [word for word in words if words.count(word) > 1]
