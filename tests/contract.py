"""Starts commands for the test suite that all drivers share."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from rdo.drivers.base import STDERR, STDOUT, ChannelOptions, Pty, WindowSize
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell
from rdo.remote_sh.markers import Mark, Marks
from rdo.remote_sh.script import Script
from tests.connecting import connected
from tests.reach import Target
from tests.ssh_client import ScriptedCaller

TIMEOUT = 20.0
"""Seconds for anything that should happen at once."""


SIZE = WindowSize(50, 120)


class Outcome(NamedTuple):
    """The result of a command."""

    status: int
    stdout: bytes
    stderr: bytes = b""


def start(link: HeldConnection, *words: str, pty: Pty | None = None, directory: str = "", login: bool = False) -> Shell:
    shell = link.open_shell(ChannelOptions(pty, login=login))
    shell.start(Script(command=words, directory=directory))
    return shell


def finish(shell: Shell) -> Outcome:
    """Read all output and the status. On a pty, rdo's own marks are removed from the output."""
    pieces: dict[int, list[bytes | memoryview]] = {STDOUT: [], STDERR: []}
    marks = Marks(shell.secret)
    for early in shell.pending:
        pieces[early.stream].append(early.data)
    while (chunk := shell.channel.read(TIMEOUT)) is not None:
        found = marks.receive(chunk.data) if shell.pty else [chunk.data]
        pieces[chunk.stream] += [piece for piece in found if not isinstance(piece, Mark)]
    return Outcome(shell.channel.exit_status(), b"".join(pieces[STDOUT]), b"".join(pieces[STDERR]))


def run(
    link: HeldConnection,
    *words: str,
    data: bytes = b"",
    pty: Pty | None = None,
    directory: str = "",
    login: bool = False,
) -> Outcome:
    shell = start(link, *words, pty=pty, directory=directory, login=login)
    writer = threading.Thread(target=lambda: (shell.channel.write(data), shell.channel.end_input()))
    writer.start()
    found = finish(shell)
    writer.join()
    shell.channel.close()
    return found


@contextmanager
def held(target: Target) -> Iterator[HeldConnection]:
    """Hold a connection to the target."""
    link = HeldConnection(connected(target.driver, ScriptedCaller(environment=target.environment)))
    try:
        yield link
    finally:
        link.close()


def guarded(link: HeldConnection, script: str) -> Shell:
    """Start a command that reports when it is ready, and has a lifeline."""
    shell = start(link, "sh", "-c", script)
    assert shell.channel.read(TIMEOUT) is not None
    link.start_lifeline()
    link.guard(shell.group)
    return shell


def is_still(beat: Path) -> bool:
    """Whether nothing writes to the file any more."""
    before = beat.stat().st_mtime_ns
    time.sleep(0.3)
    return beat.stat().st_mtime_ns == before
