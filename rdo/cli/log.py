"""`rdoctl log`: what the control master did."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from rdo.cli.declaration import Command, Option
from rdo.errors import RdoError, UsageError, printable
from rdo.ipc import address, startup
from rdo.util import foreign_file
from rdo.util.lines import split_lines

POLL_INTERVAL = 0.25
"""Seconds between two checks for new lines."""

LINES = 50
"""How many lines are shown by default."""

LAST_SIZE = 1024
"""Bytes by which the end of what was shown is found again: a few lines, which are unique since each has a time."""


def run(follow: bool, lines: str | None) -> None:
    """Show what the control master did: connections made, lost and closed, and why.

    The log never contains a command's arguments or a variable's value.
    """
    if lines is not None and not lines.isdecimal():
        raise UsageError("`--lines`", f"`{lines}` is not a number of lines", "as in `rdoctl log --lines 100`")
    count = LINES if lines is None else int(lines)
    parts = additions(startup.log_path(address.socket_path(address.runtime_directory(os.environ))))
    try:
        latest = _lines(next(parts))
    except FileNotFoundError:
        raise RdoError("there is no log yet", "", "the next `rdo` starts one") from None
    _show(latest[max(0, len(latest) - count) :])
    while follow:
        _wait(sys.stdout.fileno())
        _show(_lines(next(parts)))


def _wait(output: int) -> None:
    """Wait until the next check. Raises BrokenPipeError if nobody reads the output any more."""
    import select  # only needed with --follow

    end = select.poll()
    end.register(output, 0)  # a closed pipe is reported in any case
    if end.poll(POLL_INTERVAL * 1000):
        raise BrokenPipeError


command = Command(
    "log",
    run,
    (
        Option("follow", ("--follow", "-f"), "Keep showing new lines as they come, until Ctrl-C."),
        Option("lines", ("--lines", "-n"), f"Show the last COUNT lines, {LINES} by default.", "COUNT"),
    ),
)


def additions(path: str) -> Iterator[bytes]:
    """The contents of the log, and then each time what was added since, even if the older half was dropped, or another
    file has replaced the log. Raises FileNotFoundError if there is no log at first.
    """
    with foreign_file.open_regular(path) as file:
        shown = file.read()
        yield shown
        while _is_at(path, file.fileno()):
            if os.fstat(file.fileno()).st_size < file.tell():
                file.seek(0)
                kept = file.read()
                added = kept.rpartition(shown[-LAST_SIZE:])[2]
            else:
                added = file.read()
            shown = shown[-LAST_SIZE:] + added
            yield added
    yield from additions(path)


def _is_at(path: str, descriptor: int) -> bool:
    """Whether the path still leads to the open file, or to no file at all."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return True


def _lines(data: bytes) -> list[str]:
    return split_lines(data.decode("utf-8", "replace"))


def _show(lines: list[str]) -> None:
    for line in lines:
        print(printable(line), flush=True)
