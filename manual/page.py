"""A man page: its pieces, and their text as roff, in the macros of man(7). Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 76
"""Columns of a source line: mandoc's lint requires fewer than 80."""

SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
"""Characters that roff would show as others: a hyphen, curly quotes, accents. Commands are to be pasted."""

BOLD, ITALIC = "\0", "\1"
"""Begin and end of what is printed so, until the text has been escaped."""


@dataclass(frozen=True)
class Heading:
    """Of a section, or of a part of one."""

    title: str
    is_part: bool = False

    def lines(self) -> Iterator[str]:
        """As roff."""
        yield f'.{"SS" if self.is_part else "SH"} "{escape(self.title)}"'


@dataclass(frozen=True)
class Paragraph:
    """Running text, in which backticks stand around what is typed."""

    text: str

    def lines(self) -> Iterator[str]:
        """As roff."""
        yield ".PP"
        yield from wrapped(code(self.text))


@dataclass(frozen=True)
class Verbatim:
    """Lines that stay as they are."""

    text: Sequence[str]

    def lines(self) -> Iterator[str]:
        """As roff."""
        yield from (".PP", ".RS 4", ".nf", *(guarded(escape(line)) for line in self.text), ".fi", ".RE")


@dataclass(frozen=True)
class Entry:
    """What is typed, such as an option, and what it does."""

    term: str
    text: str

    def lines(self) -> Iterator[str]:
        """As roff."""
        yield ".TP"
        yield guarded(escape(typed(self.term)))
        yield from wrapped(code(self.text))


Piece = Heading | Paragraph | Verbatim | Entry


def render(name: str, date: str, version: str, pieces: Iterable[Piece]) -> str:
    """The whole page. `date` is YYYY-MM-DD."""
    head = [r".\" Made by `make man` from what --help shows.", f'.TH {name.upper()} 1 {date} "rdo {version}" "rdo"']
    text = "\n".join([*head, *(line for piece in pieces for line in piece.lines()), ""])
    return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", text, flags=re.MULTILINE)  # a heading begins a paragraph itself


def escape(text: str) -> str:
    """Text as roff shows it unchanged."""
    text = "".join(SPECIAL.get(letter, letter) for letter in text)
    for mark, font in ((BOLD, "B"), (ITALIC, "I")):
        text = re.sub(f"{mark}([^{mark}]*){mark}", rf"\\f{font}\1\\fR", text)
    return text


def code(text: str) -> str:
    """Bold in place of backticks, single or double."""
    return re.sub(r"``\s?(.+?)\s?``(?!`)|`([^`]+)`", lambda found: f"{BOLD}{found[1] or found[2]}{BOLD}", text)


def typed(term: str) -> str:
    """Options and names bold, what stands for a value in italics."""
    marked = re.sub(r"(?<![\w-])--?[A-Za-z][\w-]*|^[a-z_]{2,}", lambda found: BOLD + found[0] + BOLD, term)
    return re.sub(r"(?<![A-Za-z_\0-])[A-Z]{2,}(?![\w-])", lambda found: ITALIC + found[0] + ITALIC, marked)


def wrapped(text: str) -> list[str]:
    """Lines of running text; roff refills them."""
    lines = textwrap.wrap(escape(text), WIDTH, break_long_words=False, break_on_hyphens=False)
    return [guarded(line) for line in lines]


def guarded(line: str) -> str:
    """A line that is not a request, whatever it starts with."""
    return rf"\&{line}" if line.startswith((".", "'")) else line
