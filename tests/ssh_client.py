"""The near side of tests of the ssh driver: a caller with scripted answers, drivers, and a command's result."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from rdo.drivers.ssh import SshDriver
from rdo.drivers.ssh_connection import SshConnection


class ScriptedCaller:
    """A Caller of rdo.drivers.base that answers questions from a list, and keeps what it was asked and told."""

    def __init__(
        self,
        answers: Iterable[str | None] = (),
        environment: dict[str, str] | None = None,
        watches: bool = False,
    ) -> None:
        """`watches`: it is shown progress."""
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

    def tell(self, line: str) -> None:
        self.told.append(line)

    def progress(self, step: str) -> bool:
        self.steps.append(step)
        return self._watches

    def trace(self, line: str) -> None:
        self.traced.append(line)


def driver(ssh_config: Path | None, host: str = "devbox", **more: object) -> SshDriver:
    """A driver with nothing set but the ssh configuration, and what is given."""
    settings: dict[str, object] = dict.fromkeys(("user", "port", "identity", "jump", "connect_timeout", "directory"))
    settings |= {"ssh_config": str(ssh_config) if ssh_config else None, "root": "/", **more}
    return SshDriver(host, **settings)  # type: ignore[arg-type]


def output(connection: SshConnection, command: str) -> tuple[int, str]:
    """Status and stdout of a command."""
    channel = connection.open_channel(command, None)
    text = b""
    while (chunk := channel.read(10.0)) is not None:
        text += chunk.data if chunk.stream == 1 else b""
    return channel.exit_status(), text.decode()
