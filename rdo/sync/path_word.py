"""Encodes a path or a link as a word in a line of rdo's records, and decodes it. Pure.

`\\`, tab and newline are `\\\\`, `\\t` and `\\n`.
"""

from __future__ import annotations

import re

PATH_LIMIT = 4096
"""Bytes of a path or a link: PATH_MAX on Linux."""

_PLAIN = {b"\\\\": b"\\", b"\\t": b"\t", b"\\n": b"\n"}
_CODE = re.compile(rb"\\.", re.DOTALL)


class BadWord(ValueError):
    """The word was not written by rdo."""


def escaped(text: bytes) -> bytes:
    """A path or a link as a word."""
    return text.replace(b"\\", b"\\\\").replace(b"\t", b"\\t").replace(b"\n", b"\\n")


def unescaped(word: bytes) -> bytes:
    """The path or link. Raises BadWord."""
    try:
        return _CODE.sub(lambda match: _PLAIN[match[0]], word) if b"\\" in word else word
    except KeyError:
        raise BadWord(f"not an escape: {word!r}") from None


def read_path(word: bytes) -> bytes:
    """The path. Raises BadWord unless it is below the root."""
    path = unescaped(word)
    if not is_inside(path):
        raise BadWord(f"not a path below the root: {path[:100]!r}")
    return path


def is_inside(path: bytes) -> bool:
    """Whether the path is below a root, and in the one form that paths have here."""
    parts = path.split(b"/")
    return len(path) <= PATH_LIMIT and b"\0" not in path and not {b"", b".", b".."} & set(parts)
