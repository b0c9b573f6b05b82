"""Converts a help text of rdo.client.help, that of `rdo` or `rdo-rsh`, to pieces of a man page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from manual.page import Entry, Heading, Paragraph, Piece, Verbatim

OPTION = re.compile(r" {2,6}(-.*?)(?: {2,}(.*))?")

TITLED = re.compile(r"([A-Z][a-z ]+):\s(.*)", re.DOTALL)
"""Matches a block that starts with its own heading."""


def pieces(name: str, text: str) -> Iterator[Piece]:
    """The pieces of a help text, whose blocks are separated by empty lines."""
    title, *blocks = text.rstrip("\n").split("\n\n")
    yield Heading("NAME")
    yield Paragraph(f"{name} - {title.partition(': ')[2]}")
    described = False
    for block in blocks:
        if block.startswith("Usage: "):
            yield Heading("SYNOPSIS")
            yield from synopsis(block.removeprefix("Usage: "))
        elif OPTION.match(block):
            yield Heading("OPTIONS")
            yield from options(block)
        elif found := TITLED.fullmatch(block):
            yield from titled(found[1], found[2])
        else:
            if not described:
                yield Heading("DESCRIPTION")
            yield Paragraph(joined(block))
            described = True


def synopsis(text: str) -> Iterator[Piece]:
    """Each way to call the program, on a line of its own."""
    yield Verbatim([line.strip() for line in text.splitlines()])


def options(block: str) -> Iterator[Entry]:
    """The options of a block. Each has one line, or several if the following ones are indented further."""
    found: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        if match := OPTION.fullmatch(line):
            found.append((match[1], [match[2] or ""]))
        else:
            found[-1][1].append(line)
    for term, lines in found:
        yield Entry(term, joined("\n".join(lines)))


def titled(title: str, text: str) -> Iterator[Piece]:
    """A section with indented lines, which are kept as they are, or with running text."""
    yield Heading(title.upper())
    if text.startswith("  "):
        yield Verbatim([line.removeprefix("  ") for line in text.splitlines()])
    else:
        yield Paragraph(text[:1].upper() + joined(text[1:]))


def joined(text: str) -> str:
    """A text that was broken into lines, as one line."""
    return " ".join(text.split())
