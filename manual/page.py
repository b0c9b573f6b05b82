"""The pieces of a man page, and their text in roff with the macros of man(7). Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

WIDTH = 76
"""Columns in a source line: mandoc's lint requires fewer than 80."""

SPECIAL = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "`": r"\(ga", "^": r"\(ha", "~": r"\(ti"}
"""Characters that roff would turn into hyphens, curly quotes and accents, so that pasted commands would fail."""

BOLD, ITALIC = "\0", "\1"
"""Placeholders around bold text and around italics until the text was escaped."""


@dataclass(frozen=True)
class Heading:
    """The heading of a section or subsection."""

    title: str
    is_part: bool = False

    def lines(self) -> Iterator[str]:
        """The lines in roff."""
        yield f'.{"SS" if self.is_part else "SH"} "{escape(self.title)}"'


@dataclass(frozen=True)
class Paragraph:
    """Running text, with backticks around what is typed."""

    text: str

    def lines(self) -> Iterator[str]:
        """The lines in roff."""
        yield ".PP"
        yield from wrapped(code(self.text))


@dataclass(frozen=True)
class Verbatim:
    """Lines that are not refilled."""

    text: Sequence[str]

    def lines(self) -> Iterator[str]:
        """The lines in roff."""
        yield from (".PP", ".RS 4", ".nf", *(guarded(escape(line)) for line in self.text), ".fi", ".RE")


@dataclass(frozen=True)
class Entry:
    """Something to type, such as an option, and what it does."""

    term: str
    text: str

    def lines(self) -> Iterator[str]:
        """The lines in roff."""
        yield ".TP"
        yield guarded(escape(typed(self.term)))
        yield from wrapped(code(self.text))


Piece = Heading | Paragraph | Verbatim | Entry


def render(name: str, date: str, version: str, pieces: Iterable[Piece]) -> str:
    """The whole page. `date` is YYYY-MM-DD."""
    head = [r".\" Made by `make man` from what --help shows.", f'.TH {name.upper()} 1 {date} "rdo {version}" "rdo"']
    text = "\n".join([*head, *(line for piece in pieces for line in piece.lines()), ""])
    return re.sub(r"^(\.S[HS] .*\n)\.PP\n", r"\1", text, flags=re.MULTILINE)  # a heading starts a paragraph by itself


def escape(text: str) -> str:
    """The text escaped so that roff shows it unchanged."""
    text = "".join(SPECIAL.get(letter, letter) for letter in text)
    for mark, font in ((BOLD, "B"), (ITALIC, "I")):
        text = re.sub(f"{mark}([^{mark}]*){mark}", rf"\\f{font}\1\\fR", text)
    return text


def code(text: str) -> str:
    """The text with bold in place of single or double backticks."""
    return re.sub(r"``\s?(.+?)\s?``(?!`)|`([^`]+)`", lambda found: f"{BOLD}{found[1] or found[2]}{BOLD}", text)


def typed(term: str) -> str:
    """The text with options and names in bold, and placeholders for values in italics."""
    marked = re.sub(r"(?<![\w-])--?[A-Za-z][\w-]*|^[a-z_]{2,}", lambda found: BOLD + found[0] + BOLD, term)
    return re.sub(r"(?<![A-Za-z_\0-])[A-Z]{2,}(?![\w-])", lambda found: ITALIC + found[0] + ITALIC, marked)


def wrapped(text: str) -> list[str]:
    """Running text in lines, which roff refills."""
    lines = textwrap.wrap(escape(text), WIDTH, break_long_words=False, break_on_hyphens=False)
    return [guarded(line) for line in lines]


def guarded(line: str) -> str:
    """The line, protected so that roff does not take it for a request."""
    return rf"\&{line}" if line.startswith((".", "'")) else line
