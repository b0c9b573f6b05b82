"""`rdoctl log`: what the control master did."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import click

from rdo.errors import RdoError, printable
from rdo.ipc import address, startup
from rdo.util.lines import split_lines

POLL_INTERVAL = 0.25
"""Seconds between two looks for further lines."""


@click.command("log")
@click.option("--follow", "-f", is_flag=True, help="Go on with further lines as they come, until Ctrl-C.")
@click.option("--lines", "-n", metavar="COUNT", type=click.IntRange(0), default=50, help="Show the last COUNT lines.")
def command(follow: bool, lines: int) -> None:
    """Show what the control master did: connections made, lost and closed, and why.

    It never holds a command's arguments or a variable's value.
    """
    path = Path(startup.log_path(address.socket_path(address.runtime_directory(os.environ))))
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise RdoError("there is no log yet", "", "the next `rdo` starts one") from None
    with file:
        latest = split_lines(file.read().decode("utf-8", "replace"))
        _show(latest[max(0, len(latest) - lines) :])
        while follow:
            time.sleep(POLL_INTERVAL)
            if os.fstat(file.fileno()).st_size < file.tell():  # its older half was dropped
                file.seek(0)
            _show(split_lines(file.read().decode("utf-8", "replace")))


def _show(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(printable(line))
