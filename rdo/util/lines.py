"""Splits text as other programs do: into lines at LF, and into words at spaces and tabs. Pure.

Python's own splitlines, split and strip also act on CR, VT, FF, NEL, U+00A0, U+2028 and more: what ssh reads as one
line with a comment would become two lines, the second of them a key.
"""

from __future__ import annotations

import re

BLANKS = " \t"

_BLANK = re.compile("[ \t]+")


def split_lines(text: str) -> list[str]:
    """The lines without their LF, and nothing after the last LF."""
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def split_words(line: str) -> list[str]:
    """The words of a line, separated by blanks."""
    return [word for word in _BLANK.split(line) if word]


def strip_blanks(text: str) -> str:
    """The text without blanks and line ends at its start and end."""
    return text.strip(BLANKS + "\r\n")
