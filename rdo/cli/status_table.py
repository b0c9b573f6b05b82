"""Formats the connections for a terminal: as a table or, if the terminal is narrow, as a list. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import NamedTuple

from rdo.cli.status_row import StatusRow
from rdo.errors import printable
from rdo.printable import width, wrapped

COLUMNS = ("target", "profiles", "doing", "connections", "open_for", "projects")

FLEXIBLE = ("doing", "projects")
"""Columns that may be narrower than their contents: commands are cut, and paths are wrapped."""

NUMBERS = ("connections", "open_for")

MIN_WIDTH = 18
"""Characters that a flexible column needs at least to be useful."""

GAP = "  "

STYLES = {"title": "1", "target": "1", "busy": "32", "idle": "2"}
"""Parameters of SGR (ECMA-48): bold, green, faint."""


class Look(NamedTuple):
    """The terminal: its width, whether it should show colours, and whether it can show more than ASCII."""

    columns: int
    colours: bool = True
    utf8: bool = True


def lines(rows: Sequence[StatusRow], look: Look) -> list[str]:
    """The lines to print."""
    return list(_table(rows, look) if sum(_least(rows).values()) + _gaps() <= look.columns else _list(rows, look))


def _gaps() -> int:
    return len(GAP) * (len(COLUMNS) - 1)


def _needed(rows: Sequence[StatusRow]) -> dict[str, int]:
    """The characters that each column needs to show everything."""
    texts = {name: [_title(name), *(line for row in rows for line in _fact(name, row))] for name in COLUMNS}
    return {name: max(map(width, found)) for name, found in texts.items()}


def _least(rows: Sequence[StatusRow]) -> dict[str, int]:
    """The characters that each column needs at least."""
    return {name: min(MIN_WIDTH, need) if name in FLEXIBLE else need for name, need in _needed(rows).items()}


def _widths(rows: Sequence[StatusRow], columns: int) -> Mapping[str, int]:
    """The widths of the columns. If there is too little room, the wider flexible column shrinks."""
    widths, least = _needed(rows), _least(rows)
    while sum(widths.values()) + _gaps() > columns:
        widths[max(FLEXIBLE, key=lambda name: widths[name] - least[name])] -= 1
    return widths


def _table(rows: Sequence[StatusRow], look: Look) -> Iterator[str]:
    widths = _widths(rows, look.columns)
    yield _line({name: _title(name).upper() for name in COLUMNS}, widths, dict.fromkeys(COLUMNS, "title"), look)
    yield ("─" if look.utf8 else "-") * (sum(widths.values()) + _gaps())
    for row in rows:
        cells = {name: _cell(name, row, widths[name], look) for name in COLUMNS}
        for parts in zip_longest(*cells.values(), fillvalue=""):
            yield _line(dict(zip(COLUMNS, parts, strict=True)), widths, _styles(row), look)


def _line(cells: Mapping[str, str], widths: Mapping[str, int], styles: Mapping[str, str], look: Look) -> str:
    parts = []
    for name, text in cells.items():
        space = " " * (widths[name] - width(text))
        shown = _styled(text, styles.get(name, ""), look)
        parts.append(space + shown if name in NUMBERS else shown + space)
    return GAP.join(parts).rstrip()


def _list(rows: Sequence[StatusRow], look: Look) -> Iterator[str]:
    """A line for each target, and below it a line for each fact."""
    titles = {name: _title(name) if name == "target" else f"  {_title(name)}" for name in COLUMNS}
    first = max(map(width, titles.values()))
    for row in rows:
        for name, title in titles.items():
            cell = _cell(name, row, max(1, look.columns - first - len(GAP)), look)
            for start, text in zip_longest([title], cell, fillvalue=""):
                padded = _styled(start, "title" if name == "target" else "", look) + " " * (first - width(start))
                yield (padded + GAP + _styled(text, _styles(row).get(name, ""), look)).rstrip()


def _title(name: str) -> str:
    return name.replace("_", " ")


def _styles(row: StatusRow) -> Mapping[str, str]:
    return {"target": "target", "doing": "busy" if row.is_busy else "idle"}


def _styled(text: str, style: str, look: Look) -> str:
    if not text or not style or (style == "busy" and not look.colours):
        return text
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def _fact(name: str, row: StatusRow) -> list[str]:
    """The lines of a fact, safe to show on a terminal."""
    fact = getattr(row, name)
    return [printable(line) for line in (fact if isinstance(fact, tuple) else str(fact).split("\n"))]


def _cell(name: str, row: StatusRow, columns: int, look: Look) -> list[str]:
    """The lines of a fact in a column: commands are cut to its width, and everything else is wrapped."""
    found = _fact(name, row)
    if name != "doing":
        return [part for line in found for part in wrapped(line, columns, "")]
    return [line if width(line) <= columns else _cut(line, columns, "…" if look.utf8 else "...") for line in found]


def _cut(line: str, columns: int, end: str) -> str:
    return wrapped(line, max(1, columns - len(end)), "")[0] + end
