"""Words for a POSIX shell, on one line. Pure."""

from __future__ import annotations

import re

NEWLINE = '"$rdo_n"'
"""How a newline is spelled in a script, which is one line itself. Set by newline.sh."""

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def quote(word: str) -> str:
    """The word for a shell, on one line."""
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", "'\\''").replace("\n", f"'{NEWLINE}'") + "'"
