"""What people need to know about a control master, in words. Pure."""

from __future__ import annotations

import os.path
from collections.abc import Iterator
from typing import Literal, NamedTuple

from rdo.cli import table
from rdo.cli.masters import MasterInfo

MOST_COMMANDS = 6
"""Running commands of a master that are shown."""

UNKNOWN = "?"

State = Literal["busy", "idle", "silent"]
"""Whether a master has commands, has none, or does not answer."""


class StatusRow(NamedTuple):
    """A master in a row of the table. `doing` are its running commands, or one remark if it has none."""

    target: str
    profile: str
    doing: tuple[str, ...]
    up: str
    memory: str
    pid: str
    config: str
    state: State


def status_row(master: MasterInfo, memory: int | None, directory: str, home: str) -> StatusRow:
    """Make the row of a master with so many bytes in RAM; paths as seen from `directory`, all links resolved."""
    report = master.report
    return StatusRow(
        report.get("target") or UNKNOWN,
        report.get("profile", UNKNOWN),
        tuple(_doing(master)),
        table.duration(master.age),
        table.mebibytes(memory),
        str(master.pid or UNKNOWN),
        short(report.get("config", master.path), directory, home),
        "silent" if not master.answers else "busy" if master.running else "idle",
    )


def short(path: str, directory: str, home: str) -> str:
    """A path relative to the directory if it is in it, above or below it; else with `~` for the home directory."""
    place = os.path.dirname(path)
    if f"{place}/".startswith(f"{directory}/") or f"{directory}/".startswith(f"{place}/"):
        return os.path.relpath(path, directory)
    return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path


def _doing(master: MasterInfo) -> Iterator[str]:
    if not master.answers:
        yield "does not answer"
        return
    running = master.running
    yield from running[:MOST_COMMANDS]
    if len(running) > MOST_COMMANDS:
        yield f"and {len(running) - MOST_COMMANDS} more"
    if master.report["ending"]:
        yield "(ends then)" if running else "ends"
    elif not running:
        yield "idle" if master.idle_left is None else f"idle, {table.duration(master.idle_left)} left"
