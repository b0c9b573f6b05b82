"""Plain tables of text, and times and sizes as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rdo.errors import one_line

GAP = "  "

WIDEST = 80
"""Cells of a terminal that a column takes at most. What is longer pushes its own row on, and no other."""

UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, columns aligned, with nothing in them that drives a terminal. All rows are of one length."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [_width(column) for column in zip(*clean, strict=True)]
    return [GAP.join(map(_filled, row, widths)).rstrip() for row in clean]


def _width(column: Sequence[str]) -> int:
    """The cells of the widest text that is not too wide."""
    return max((cells for cells in map(_cells, column) if cells <= WIDEST), default=0)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _cells(text))


def _cells(text: str) -> int:
    """How many cells of a terminal it takes."""
    if text.isascii():
        return len(text)
    from rdo.printable import width  # only here: Unicode's tables are for what is rare

    return width(text)


def duration(seconds: float | None) -> str:
    """A time in its two largest units, such as `1h 5m`; `-` for none."""
    if seconds is None:
        return "-"
    rest = int(seconds)
    parts: list[str] = []
    for unit, size in UNITS:
        count, rest = divmod(rest, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def mebibytes(size: int | None) -> str:
    """A size in MiB; `-` for none."""
    return "-" if size is None else f"{size / 1024 / 1024:.0f} MiB"
