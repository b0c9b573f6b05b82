"""Fixtures of the integration tests: real servers, and connections that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.drivers.ssh_connection import SshConnection
from tests.ssh_client import ScriptedCaller, driver

Connect = Callable[..., SshConnection]


@pytest.fixture
def caller() -> ScriptedCaller:
    """A caller without a terminal."""
    return ScriptedCaller()


@pytest.fixture
def connect(caller: ScriptedCaller) -> Iterator[Connect]:
    """Connects as a driver with these settings would, and closes it all after the test."""
    made: list[SshConnection] = []

    def open_one(
        ssh_config: Path, host: str = "devbox", caller: ScriptedCaller = caller, **more: object
    ) -> SshConnection:
        made.append(driver(ssh_config, host, **more).connect(caller))
        return made[-1]

    yield open_one
    for connection in made:
        connection.close()
