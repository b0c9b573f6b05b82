"""Formats the pieces of the man pages as Markdown, for `docs/commands.md`. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from manual.page import Entry, Heading, Paragraph, Piece, Verbatim

WIDTH = 120
"""Columns in a line."""


def render(program: str, pieces: Iterable[Piece]) -> str:
    """The part of the page for one program."""
    return "\n\n".join([f"## {program}", *(block for piece in pieces for block in _blocks(piece))])


def _blocks(piece: Piece) -> Iterator[str]:
    if isinstance(piece, Heading):
        yield f"#### {piece.title}" if piece.is_part else f"### {piece.title.capitalize()}"
    elif isinstance(piece, Paragraph):
        yield textwrap.fill(piece.text, WIDTH, break_long_words=False, break_on_hyphens=False)
    elif isinstance(piece, Verbatim):
        yield "\n".join(["```text", *piece.text, "```"])
    else:
        yield _entry(piece)


def _entry(entry: Entry) -> str:
    """An item of a list, with its text refilled."""
    line = f"- `{entry.term}`: {' '.join(entry.text.split())}"
    return textwrap.fill(line, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
