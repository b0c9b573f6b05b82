"""Commands as the suite that all drivers share starts them."""

from __future__ import annotations

import threading
from typing import NamedTuple

from rdo.drivers.base import STDERR, STDOUT, ChannelOptions, Pty, WindowSize
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell
from rdo.remote_sh.markers import Mark, Marks
from rdo.remote_sh.script import Script

BOUND = 20.0
"""Seconds for anything that should happen at once."""


SIZE = WindowSize(50, 120)


class Outcome(NamedTuple):
    """What a command came to."""

    status: int
    stdout: bytes
    stderr: bytes = b""


def start(link: HeldConnection, *words: str, pty: Pty | None = None, directory: str = "", login: bool = False) -> Shell:
    shell = link.open_shell(ChannelOptions(pty, login=login))
    shell.start(Script(command=words, directory=directory))
    return shell


def finish(shell: Shell) -> Outcome:
    """All that comes, and the status. What is rdo's own on a pty is taken out."""
    pieces: dict[int, list[bytes | memoryview]] = {STDOUT: [], STDERR: []}
    marks = Marks(shell.secret)
    for early in shell.pending:
        pieces[early.stream].append(early.data)
    while (chunk := shell.channel.read(BOUND)) is not None:
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
