"""The client's side of tests of the docker driver: connections that are closed after a test, and commands' output."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from rdo.drivers.base import STDOUT
from rdo.drivers.docker.connection import DockerConnection
from rdo.drivers.docker.driver import DockerDriver
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller

TIMEOUT = 20.0
"""Seconds for anything that should happen at once."""

Connect = Callable[[DockerDriver], DockerConnection]

Make = Callable[..., DockerDriver]
"""Makes drivers from settings."""


@contextlib.contextmanager
def connections(environment: dict[str, str]) -> Iterator[Connect]:
    """A function that connects drivers for a caller with this environment. All connections are closed at the end."""
    made: list[DockerConnection] = []

    def open_one(driver: DockerDriver) -> DockerConnection:
        made.append(connected(driver, ScriptedCaller(environment=environment)))
        return made[-1]

    yield open_one
    for connection in made:
        connection.close()


def output(connection: DockerConnection, command: str) -> str:
    """The stdout of a command that succeeds."""
    channel = connection.open_channel(command, None)
    text = b""
    while (chunk := channel.read(TIMEOUT)) is not None:
        text += chunk.data if chunk.stream == STDOUT else b""
    assert channel.exit_status() == 0
    channel.close()
    return text.decode().strip()
