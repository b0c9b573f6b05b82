"""Fixtures of the integration tests: real servers, and connections that are closed after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.drivers.ssh_connection import SshConnection
from tests.conftest import require
from tests.ssh_client import ScriptedCaller, driver
from tests.sshd import Sshd, find_sshd

Connect = Callable[..., SshConnection]


@pytest.fixture
def own_sshd(tmp_path: Path) -> Iterator[Callable[..., Sshd]]:
    """Makes servers for one test, not started yet; stopped after it."""
    if find_sshd() is None:
        require("ssh", "sshd is not installed")
    made: list[Sshd] = []

    def make(*config_lines: str) -> Sshd:
        made.append(Sshd(tmp_path / f"sshd{len(made)}", config_lines))
        return made[-1]

    yield make
    for server in made:
        server.stop()


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
