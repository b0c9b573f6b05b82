"""The held connections on a terminal: a table, or a list where it is narrow. The one module that imports rich."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from rdo.cli.status_row import StatusRow
from rdo.errors import printable

COLUMNS = ("target", "profiles", "doing", "connections", "open_for", "projects")

FLEXIBLE = ("doing", "projects")
"""What may take less than it would: commands are cut, paths go on in the next line."""

NUMBERS = ("connections", "open_for")

LEAST = 18
"""Characters below which a flexible column is of no use."""

GAP = 2

STYLES = {"target": "bold", "busy": "green", "idle": "dim"}


def show(rows: Sequence[StatusRow]) -> None:
    """Print them in the terminal's width, in colour unless NO_COLOR is set."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.print(_table(rows) if _least_width(rows) <= console.width else _list(rows))


def _least_width(rows: Sequence[StatusRow]) -> int:
    """Characters that the table needs."""
    needed = {name: max(len(_title(name)), *(_cell(name, row).cell_len for row in rows)) for name in COLUMNS}
    widths = [min(LEAST, needed[name]) if name in FLEXIBLE else needed[name] for name in COLUMNS]
    return sum(widths) + GAP * (len(widths) - 1)


def _table(rows: Sequence[StatusRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for name in COLUMNS:
        least = min(LEAST, max(_cell(name, row).cell_len for row in rows)) if name in FLEXIBLE else None
        table.add_column(
            _title(name).upper(),
            justify="right" if name in NUMBERS else "left",
            no_wrap=name not in FLEXIBLE,
            min_width=least,
        )
    for row in rows:
        table.add_row(*(_cell(name, row) for name in COLUMNS))
    return table


def _list(rows: Sequence[StatusRow]) -> Table:
    """A line for each target, and below it one for each fact."""
    grid = Table.grid(padding=(0, GAP, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column()
    for row in rows:
        for name in COLUMNS:
            title = Text(name, style="bold") if name == "target" else Text(f"  {_title(name)}")
            grid.add_row(title, _cell(name, row))
    return grid


def _title(name: str) -> str:
    return name.replace("_", " ")


def _cell(name: str, row: StatusRow) -> Text:
    """A fact, with nothing in it that drives a terminal."""
    if name == "doing":
        lines = "\n".join(map(printable, row.doing))
        return Text(lines, STYLES["busy" if row.is_busy else "idle"], no_wrap=True, overflow="ellipsis")
    fact = getattr(row, name)
    text = "\n".join(fact) if isinstance(fact, tuple) else str(fact)
    return Text("\n".join(map(printable, text.split("\n"))), STYLES.get(name, ""), overflow="fold")
