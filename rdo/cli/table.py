"""Plain tables of text, and times and sizes as people read them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from rdo.errors import one_line

GAP = "  "

UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows as lines, columns aligned, with nothing in them that drives a terminal. All rows are of one length."""
    clean = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*clean, strict=True)]
    return [GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in clean]


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
