"""Fixtures for the integration tests: real servers, and connections that are closed after each test."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.ssh.connection import SshConnection
from tests.conftest import require
from tests.connecting import connected
from tests.docker_client import Make
from tests.docker_engine import DockerEngine
from tests.dropbear import User
from tests.line import Line
from tests.login_keys import agent as agent
from tests.servers import KINDS, make_dropbear, make_sshd
from tests.ssh_client import ScriptedCaller, driver
from tests.ssh_server import SshServer
from tests.sshd import find_sshd

Connect = Callable[..., SshConnection]

MakeServer = Callable[..., SshServer]


@pytest.fixture(scope="module", params=KINDS)
def server_kind(request: pytest.FixtureRequest) -> str:
    """Each kind of server, or the one that a test needs; see tests.servers."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(server_kind: str, request: pytest.FixtureRequest) -> SshServer:
    """A server that no test changes or stops. It is started before a test begins, because it is not a leak of the
    test.
    """
    found: SshServer = request.getfixturevalue(server_kind)
    return found


@pytest.fixture
def own_server(server_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakeServer]:
    """Makes servers for one test, with lines of sshd's configuration or features of both. They are not started yet, and
    are stopped after the test.
    """
    made: list[SshServer] = []
    user: User | None = request.getfixturevalue("dropbear_user") if server_kind == "dropbear" else None
    if user is None and find_sshd() is None:
        require("ssh", "sshd is not installed")

    def make(*lines: str, **features: object) -> SshServer:
        directory = tmp_path / f"{server_kind}{len(made)}"
        made.append(
            make_dropbear(directory, user, *lines, **features) if user else make_sshd(directory, *lines, **features)
        )
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
    """Connects as a driver with these settings would, and closes the connections after the test."""
    made: list[SshConnection] = []

    def open_one(
        ssh_config: Path, host: str = "devbox", caller: ScriptedCaller = caller, **more: object
    ) -> SshConnection:
        made.append(connected(driver(ssh_config, host, **more), caller))
        return made[-1]

    yield open_one
    for connection in made:
        connection.close()


@pytest.fixture
def make(docker_engine: DockerEngine, tmp_path: Path) -> Make:
    """Makes drivers for containers, for a project in the test's directory."""

    def driver(root: Path = tmp_path, **settings: Any) -> DockerDriver:
        environment = {**os.environ, "DOCKER_HOST": docker_engine.host}
        return DockerDriver(Settings(**settings), str(root), "default", environment)

    return driver


@pytest.fixture
def line(docker_engine: DockerEngine) -> Iterator[Line]:
    """A relay on a port, through which the engine appears to be on another machine."""
    with Line(docker_engine.host.removeprefix("unix://")) as line:
        yield line


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port on which nobody listens or can begin to listen."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]
