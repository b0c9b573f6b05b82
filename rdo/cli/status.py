"""`rdoctl status`: which control masters run, and what they do. Plain for pipes and programs, a table for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import TextIO

from rdo.cli import masters, process, status_row, table
from rdo.cli.declaration import Command, Option
from rdo.cli.masters import MasterInfo
from rdo.ipc import address

HEADINGS = ("TARGET", "PROFILE", "PID", "AGE", "RUNNING", "IDLE LEFT", "MEMORY", "CONFIG")

UNKNOWN = "-"


def run(as_json: bool) -> None:
    """Show the open connections and what runs on them."""
    found = masters.found(address.runtime_directory(os.environ))
    if as_json:
        print(json.dumps([describe(master) for master in found], indent=2))
    elif not found:
        print("no control master is running; the next `rdo` starts one")
    elif is_for_people(sys.stdout, os.environ):
        show(found)
    else:
        print("\n".join(table.render([HEADINGS, *map(row, found)])))


command = Command(
    "status",
    run,
    (Option("as_json", ("--json",), "Print JSON, with times in seconds and memory in bytes."),),
)


def is_for_people(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether what is written to the stream is seen on a terminal, and on one that can do more than print lines."""
    return stream.isatty() and environ.get("TERM", "dumb") not in ("", "dumb", "unknown")


def show(found: list[MasterInfo]) -> None:
    """Show the masters to a person. Paths are those of the working directory and the home directory, links resolved."""
    from rdo.cli import status_table  # rich takes a fifth of a second to load, and nothing else needs it

    directory, home = os.getcwd(), os.path.realpath(os.path.expanduser("~"))
    status_table.show([status_row.status_row(each, memory(each), directory, home) for each in found])


def row(master: MasterInfo) -> tuple[str, ...]:
    """A line of the table."""
    if not master.answers:
        return (
            "does not answer",
            UNKNOWN,
            str(master.pid or UNKNOWN),
            *[UNKNOWN] * 3,
            table.mebibytes(memory(master)),
            master.path,
        )
    report = master.report
    return (
        report["target"] or UNKNOWN,
        report["profile"],
        str(master.pid),
        table.duration(master.age),
        f"{len(master.running)}{' (ending)' if report['ending'] else ''}",
        table.duration(master.idle_left),
        table.mebibytes(memory(master)),
        report["config"],
    )


def memory(master: MasterInfo) -> int | None:
    """Bytes that it has in RAM; None if that is unknown."""
    seen = process.look(master.pid) if master.pid else None
    return seen.memory if seen else None


def describe(master: MasterInfo) -> dict[str, object]:
    """A master for programs: the same keys, whether or not it answers."""
    known = {key: master.report.get(key) for key in ("config", "profile", "driver", "target", "links", "ending")}
    return {
        "answers": master.answers,
        "socket": master.path,
        "pid": master.pid,
        **known,
        "age": master.age,
        "running": master.running,
        "idle_left": master.idle_left,
        "memory": memory(master),
    }
