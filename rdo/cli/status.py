"""`rdoctl status`: shows the connections, and what runs on them, for people or for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, TextIO

from rdo.cli import masters, status_row, table
from rdo.cli.declaration import Command, Option
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.ipc import address
from rdo.util import charset, process

if TYPE_CHECKING:
    from rdo.cli import status_table

HEADINGS = ("TARGET", "PROFILES", "CONNECTIONS", "RUNNING", "OPEN FOR", "IDLE LEFT", "PROJECTS")


USUAL_COLUMNS = 80
"""The width assumed for a terminal that does not report its size."""


def run(as_json: bool) -> None:
    """Show the open connections and what runs on them."""
    found = masters.found(address.runtime_directory(os.environ))
    if as_json:
        print(json.dumps([describe(master) for master in found], indent=2))
    elif not found:
        print("no connection is open; the next `rdo` opens one")
    else:
        show(found)


command = Command(
    "status",
    run,
    (Option("as_json", ("--json",), "Print JSON, with times in seconds and memory in bytes."),),
)


def is_for_people(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether the stream is a terminal that can do more than print lines."""
    return stream.isatty() and environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def look_of(stream: TextIO, environ: Mapping[str, str]) -> status_table.Look:
    """What the terminal can show. The variables COLUMNS and NO_COLOR override what it reports."""
    from rdo.cli.status_table import Look

    given = environ.get("COLUMNS", "")
    try:
        columns = int(given) if given.isdecimal() and int(given) else os.get_terminal_size(stream.fileno()).columns
    except OSError:
        columns = 0
    return Look(columns or USUAL_COLUMNS, not environ.get("NO_COLOR"), charset.is_utf8(environ))


def show(found: list[MasterInfo]) -> None:
    """Print the targets, and a line for each master. For people, paths are relative to the working directory."""
    targets = status_row.told_apart([target for master in found for target in master.targets])
    if targets and is_for_people(sys.stdout, os.environ):
        from rdo.cli import status_table

        directory, home = os.getcwd(), os.path.realpath(os.path.expanduser("~"))
        rows = [status_row.status_row(target, directory, home) for target in targets]
        print("\n".join(status_table.lines(rows, look_of(sys.stdout, os.environ))))
    elif targets:
        print("\n".join(table.render([HEADINGS, *map(plain, targets)])))
    print("\n".join(status_row.master_line(master, memory(master)) for master in found))


def plain(target: TargetInfo) -> tuple[str, ...]:
    """A row of the table for programs."""
    return (
        target.name,
        ",".join(dict.fromkeys(each["profile"] for each in target.profiles)),
        str(target.connections),
        f"{len(target.running)}{' (ending)' if target.ending else ''}",
        table.duration(target.age),
        table.duration(target.idle_left),
        ",".join(dict.fromkeys(each["config"] for each in target.profiles)),
    )


def memory(master: MasterInfo) -> int | None:
    """The bytes of RAM that the master uses; None if that is unknown."""
    seen = process.look(master.pid) if master.pid else None
    return seen.memory if seen else None


def describe(master: MasterInfo) -> dict[str, object]:
    """A master for `--json`: with the same keys, whether or not it answers."""
    return {
        "answers": master.answers,
        "socket": master.path,
        "pid": master.pid,
        "ending": master.report.get("ending"),
        "age": master.age,
        "running": master.running,
        "memory": memory(master),
        "targets": [dict(_target(target)) for target in master.targets],
    }


def _target(target: TargetInfo) -> Iterator[tuple[str, object]]:
    for name in ("name", "driver", "profiles", "running", "connections", "idle_left", "ending", "syncs", "forwards"):
        yield name, getattr(target, name)
    yield "age", target.age
