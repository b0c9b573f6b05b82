"""`rdoctl ports`: shows which ports are forwarded."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from typing import Any

from rdo.cli import masters, table
from rdo.cli.declaration import Command, Option
from rdo.errors import printable
from rdo.ipc import address

HEADINGS = ("HERE", "", "THERE", "PROCESS", "SINCE", "CONNECTIONS", "RECEIVED", "SENT", "LAST FAILURE")

UNITS = ("B", "kB", "MB", "GB", "TB")


def run(as_json: bool) -> None:
    """Show which ports are forwarded between targets and this machine.

    The arrow points away from the side that listens. CONNECTIONS shows how many are open, and how
    many there have been in all.
    """
    found = masters.found(address.runtime_directory(os.environ))
    ports = [
        {"target": target.name, **forward}
        for master in found
        for target in master.targets
        for forward in target.forwards
    ]
    if as_json:
        print(json.dumps(ports, indent=2))
    elif not ports:
        print("no port is forwarded; see `rdo -L` and the key `forward`")
    else:
        print("\n".join(table.render([HEADINGS, *map(_row, ports)])))


command = Command(
    "ports",
    run,
    (Option("as_json", ("--json",), "Print JSON, with times in seconds and sizes in bytes."),),
)


def _row(port: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        port["local"],
        "<-" if port.get("kind") == "remote" else "->",
        port["remote"],
        _process(port),
        table.duration(max(0.0, time.time() - port["started"])),
        f"{port['open']} of {port['connections']}",
        _size(port["received"]),
        _size(port["sent"]),
        port["failure"] or "-",
    )


def _process(port: Mapping[str, Any]) -> str:
    """The process on the target that listens on the port, if the port is forwarded because of it."""
    return printable(f"{port['process']} ({port['pid']}), auto") if port.get("auto") else "-"


def _size(size: float) -> str:
    """A number of bytes with a unit."""
    for unit in UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.0f} {UNITS[-1]}"
