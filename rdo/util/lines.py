"""Text of other programs, taken apart where they take it apart: into lines at LF, into words at spaces and tabs. Pure.

Python's own splitlines, split and strip also stop at CR, VT, FF, NEL, U+00A0, U+2028 and more: what is one comment for
ssh would be two lines, the second of them a key.
"""

from __future__ import annotations

import re

BLANKS = " \t"

_BLANK = re.compile("[ \t]+")


def split_lines(text: str) -> list[str]:
    """The lines, without their LF; nothing after the last one."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def split_words(line: str) -> list[str]:
    """The words between blanks."""
    return [word for word in _BLANK.split(line) if word]


def strip_blanks(text: str) -> str:
    """Without the blanks, and the ends of lines, that it begins and ends with."""
    return text.strip(BLANKS + "\r\n")
