"""Text that others wrote, as rdo shows it: what of it could not be seen is escaped, what is too long is cut. Pure.

A terminal shows what it is sent. Text from a repository, a server or a file's name must neither drive it, nor look like
a line of rdo's own, nor push away what stands above or below it.
"""

from __future__ import annotations

from itertools import accumulate
from unicodedata import category, combining, east_asian_width

BLANK = frozenset(
    "\u034f"  # combining grapheme joiner
    "\u115f\u1160\u3164\uffa0"  # Hangul fillers: letters, and empty
    "\u17b4\u17b5"  # Khmer vowels that nothing shows
    "\u180b\u180c\u180d\u180f"  # Mongolian variation selectors
    "\u2800"  # the Braille pattern without dots
    "\ufffc"  # stands for an object that is not there
    "\U00016fe4"  # Khitan filler
    "\U0001d159"  # a note without a head
    "\U00013441\U00013442"  # blanks among hieroglyphs
    + "".join(map(chr, range(0xFE00, 0xFE10)))  # variation selectors
    + "".join(map(chr, range(0xE0100, 0xE01F0)))
)
"""Characters that str.isprintable() lets pass, and that show nothing: Default_Ignorable_Code_Point of Unicode's
DerivedCoreProperties.txt without its categories C and Z, and what is drawn blank. Those of C and Z (controls,
directions, zero widths, tags, all spaces but the one) are not printable.
"""

MARK_LIMIT = 4
"""Accents and the like on one letter. No script has more; what has can be piled up over the lines above."""

_MARKS = ("Mn", "Me")


def fault(text: str) -> str:
    """What of the text could not be seen, as a phrase that goes on after its name; empty if nothing."""
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
    """The text with what could not be seen escaped, but for blanks; bytes that were not UTF-8 as `\\xff`."""
    if text.isascii() and text.isprintable():
        return text
    piled = _piled(text)
    return "".join(
        char if char.isprintable() and char not in BLANK and not hidden else _escape(char)
        for char, hidden in zip(text, piled, strict=True)
    )


def cut(text: str, most: int) -> str:
    """The text in `most` cells of a terminal, its end included, and after it how much was left out."""
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
    """How many cells of a terminal it takes."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """The text in lines of `columns` cells, the indent before each but the first."""
    lines = []
    while width(text) > columns:
        start = _start(text, columns)
        lines.append(start)
        text = indent + text[len(start) :]
    return [*lines, text]


def _start(text: str, cells: int) -> str:
    """As much of the text as has room."""
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
    """For each character, whether it is a mark above those that a letter may have."""
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
