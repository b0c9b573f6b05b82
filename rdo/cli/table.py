"""Formats plain tables of text, times and sizes for people. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rdo.errors import one_line

GAP = "  "

WIDEST = 80
"""The most terminal cells that a column is wide. A longer text only shifts the rest of its own row."""

UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines with aligned columns, safe to show on a terminal. All rows have the same length."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [_width(column) for column in zip(*clean, strict=True)]
    return [GAP.join(map(_filled, row, widths)).rstrip() for row in clean]


def _width(column: Sequence[str]) -> int:
    """The width of the widest text that is not too wide."""
    return max((cells for cells in map(_cells, column) if cells <= WIDEST), default=0)


def _filled(text: str, width: int) -> str:
    return text + " " * (width - _cells(text))


def _cells(text: str) -> int:
    """The number of terminal cells that the text takes."""
    if text.isascii():
        return len(text)
    from rdo.printable import width  # loaded on demand: the Unicode tables are rarely needed

    return width(text)


def duration(seconds: float | None) -> str:
    """A duration in its two largest units, such as `1h 5m`; `-` for None."""
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
    """A size in MiB; `-` for None."""
    return "-" if size is None else f"{size / 1024 / 1024:.0f} MiB"
