"""The client's side of tests of the ssh driver: a caller with scripted answers, drivers, and a command's result."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from rdo.drivers.base import STDERR, STDOUT, Channel
from rdo.drivers.ssh.connection import SshConnection
from rdo.drivers.ssh.driver import SshDriver

TIMEOUT = 20.0
"""Seconds for anything that should happen at once."""

DRAIN_TIMEOUT = 60.0
"""Seconds for output to follow input. sshd needs a second of CPU time for 2000 small packets in its buffer."""


class ScriptedCaller:
    """A Caller of rdo.drivers.base that answers questions from a list, and records the questions and notices."""

    process = 0

    def __init__(
        self,
        answers: Iterable[str | None] = (),
        environment: dict[str, str] | None = None,
        watches: bool = False,
    ) -> None:
        """`watches`: whether it is shown progress."""
        self.user = ""
        self.environment = environment if environment is not None else dict(os.environ)
        self._answers = list(answers)
        self.asked: list[tuple[str, bool]] = []
        self.told: list[str] = []
        self.steps: list[str] = []
        self._watches = watches
        self.traced: list[str] = []

    def ask(self, question: str, *, echo: bool) -> str | None:
        self.asked.append((question, echo))
        return self._answers.pop(0) if self._answers else None

    def screen(self) -> tuple[int, int] | None:
        return 24, 80

    def report(self, line: str) -> None:
        self.told.append(line)

    def progress(self, step: str) -> bool:
        if self.steps[-1:] != [step]:
            self.steps.append(step)
        return self._watches

    def trace(self, line: str) -> None:
        self.traced.append(line)


def driver(ssh_config: Path | None, host: str = "devbox", **more: object) -> SshDriver:
    """A driver with only the ssh configuration and these settings."""
    settings: dict[str, object] = dict.fromkeys(("user", "port", "identity", "jump", "connect_timeout", "directory"))
    settings |= {"ssh_config": str(ssh_config) if ssh_config else None, "root": "/", **more}
    return SshDriver(host, **settings)  # type: ignore[arg-type]


def drain(channel: Channel) -> dict[int, bytes]:
    """Read all output until both streams have ended."""
    found: dict[int, list[bytes | memoryview]] = {STDOUT: [], STDERR: []}
    while (chunk := channel.read(DRAIN_TIMEOUT)) is not None:
        found[chunk.stream].append(chunk.data)
    return {stream: b"".join(pieces) for stream, pieces in found.items()}


def feed(channel: Channel, data: bytes) -> None:
    """Write all data, and end the input."""
    channel.write(data)
    channel.end_input()


def output(connection: SshConnection, command: str) -> tuple[int, str]:
    """The exit status and stdout of a command."""
    channel = connection.open_channel(command, None)
    text = drain(channel)[STDOUT].decode()
    return channel.exit_status(), text


def outputs_side_by_side(connection: SshConnection, threads: int, turns: int) -> dict[int, tuple[int, str]]:
    """Run `echo NUMBER; exit THREAD` in parallel threads. Returns each result by NUMBER, which is ten times the number
    of the thread plus that of the turn.
    """
    found: dict[int, tuple[int, str]] = {}

    def run(thread: int) -> None:
        for number in range(thread * 10, thread * 10 + turns):
            found[number] = output(connection, f"echo {number}; exit {thread}")

    workers = [threading.Thread(target=run, args=(thread,)) for thread in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return found
