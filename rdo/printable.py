"""Makes text from other sources safe to show: invisible characters are escaped, and overlong text is cut. Pure.

A terminal acts on whatever it is sent. Text from a repository, a server or a file name must not be able to control the
terminal, to look like one of rdo's own lines, or to push away what is above or below it.
"""

from __future__ import annotations

from itertools import accumulate
from unicodedata import category, combining, east_asian_width

BLANK = frozenset(
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers, which are letters without a shape
    "\u17b4\u17b5"  # invisible Khmer vowels
    "\u180b\u180c\u180d\u180f"  # Mongolian variation selectors
    "\u2800"  # the empty Braille pattern
    "\ufffc"  # the object replacement character
    "\U00016fe4"  # Khitan filler
    "\U0001d159"  # the null note head
    "\U00013441\U00013442"  # blank Egyptian hieroglyphs
    + "".join(map(chr, range(0xFE00, 0xFE10)))  # variation selectors
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Characters that str.isprintable() accepts although they are invisible: Default_Ignorable_Code_Point in Unicode's
DerivedCoreProperties.txt, except for categories C and Z, and characters drawn blank. Categories C and Z (controls,
directional marks, zero-width characters, tags, all spaces but U+0020) are not printable anyway."""

MARK_LIMIT = 4
"""Combining marks on one letter. No script uses more; a larger number could be piled up over the lines above."""

_MARKS = ("Mn", "Me")


def fault(text: str) -> str:
    """What in the text is invisible, as a phrase that follows the name of the text; empty if nothing is."""
    if not text.isprintable():
        return "contains a control character"
    if "  " in text:
        return "contains several spaces in a row"
    if text.isascii():
        return ""
    hidden = next((char for char in text if char in BLANK), "")
    if hidden:
        return f"contains U+{ord(hidden):04X}, which is invisible"
    return "contains stacked accents" if any(_piled(text)) else ""


def escaped(text: str) -> str:
    """The text with invisible characters escaped, except for blanks; bytes that were not UTF-8 appear as `\\xff`."""
    if text.isascii() and text.isprintable():
        return text
    piled = _piled(text)
    return "".join(
        char if char.isprintable() and char not in BLANK and not hidden else _escape(char)
        for char, hidden in zip(text, piled, strict=True)
    )


def cut(text: str, most: int) -> str:
    """The text cut to `most` terminal cells, including a note of how much was left out."""
    if width(text) <= most:
        return text
    room = max(most - len(_rest(len(text))) - len(_GAP), 2)
    start = _start(text, room - room // 3)
    end = _start(text[::-1], room // 3)[::-1]
    return f"{start}{_GAP}{end}{_rest(len(text) - len(start) - len(end))}"


_GAP = "..."


def _rest(count: int) -> str:
    return f" ({count} more characters)"


def width(text: str) -> int:
    """The number of terminal cells that the text takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """The text in lines of `columns` cells, with the indent before each line but the first."""
    lines = []
    while width(text) > columns:
        start = _start(text, columns)
        lines.append(start)
        text = indent + text[len(start) :]
    return [*lines, text]


def _start(text: str, cells: int) -> str:
    """As much of the start of the text as fits."""
    if text.isascii():
        return text[: max(cells, 0)]
    return text[: sum(taken <= cells for taken in accumulate(map(_cells, text)))]


def _cells(char: str) -> int:
    if char.isascii():
        return 1
    if category(char) in _MARKS:
        return 0
    return 2 if east_asian_width(char) in "WF" else 1


def _piled(text: str) -> list[bool]:
    """For each character, whether it is a combining mark beyond the number that one letter may have."""
    found, marks = [], 0
    for char in text:
        is_mark = not char.isascii() and (category(char) in _MARKS or combining(char) > 0)
        marks = marks + 1 if is_mark else 0
        found.append(marks > MARK_LIMIT)
    return found


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that was not UTF-8, carried by surrogateescape
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
