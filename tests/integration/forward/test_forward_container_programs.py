"""Tests for forwards into a container with each program that can connect there, in containers that have only one of
them.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.config.forwards import Endpoint, Forward
from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.reach import Target
from tests.ssh_server import free_port
from tests.target_tools import TOOLS
from tests.tcp_server import TIMEOUT, connect, echo, read_all, server, server_that_detects_the_end

PROGRAMS = ("python3", "perl", "socat", "bash", "nc", "nc of busybox")

IMPLEMENTATIONS = {"nc": "nc.openbsd", "nc of busybox": "busybox"}
"""The implementation to use if there are several."""

NOT_OPENBSD = [name for name in PROGRAMS if name != "nc"]
"""The nc of OpenBSD waits for the end of both sides; see stream.sh."""

MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def way() -> str:
    """See conftest."""
    return "docker"


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    """Each program in turn; empty for none."""
    return str(request.param)


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest, docker_engine: DockerEngine) -> Iterator[str]:
    """This machine's network, or one without IPv6, as most containers have."""
    if getattr(request, "param", "") != "of its own":
        yield "host"
        return
    with docker_engine.network() as name:
        yield name


@pytest.fixture(scope="module")
def target(
    program: str, network: str, docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Target]:
    """A container with a network and this machine's programs. Its PATH has one of them, and what every system has."""
    directory, only = tmp_path_factory.mktemp("shared"), tmp_path_factory.mktemp("only")
    for name in (*TOOLS, program):
        found = shutil.which(IMPLEMENTATIONS.get(name, name), path="/usr/bin:/bin")
        if found:
            (only / name.removesuffix(" of busybox")).symlink_to(os.path.realpath(found))
        elif name:
            pytest.skip(f"{name} is not installed")
    mounts = {directory: "/there", only: "/only", Path("/usr"): "/usr:ro"}
    options: dict[str, Any] = {
        "network_mode": network,
        "environment": {"PATH": "/only"},
        "init": False,
    }  # whose program is in /usr
    with docker_engine.container("dash", mounts, **options) as name:
        environment = {**os.environ, "DOCKER_HOST": docker_engine.host}
        driver = DockerDriver(Settings(container=name, directory="/there"), str(directory), "default", environment)
        yield Target(driver, environment, directory, "/there")


@pytest.mark.parametrize("program", NOT_OPENBSD, indirect=True)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_bytes_go_both_ways_until_the_server_ends(forward: Callable[[str], int], host: str) -> None:
    def serve(connection: socket.socket) -> None:
        assert connection.recv(6, socket.MSG_WAITALL) == b"hello\xff"
        connection.sendall(b"good bye\0")

    there = f"[{host}]" if ":" in host else host
    family = host if ":" in host else "127.0.0.1"
    with server(serve, family) as port, connect(forward(f"{there}:{port}")) as connection:
        connection.sendall(b"hello\xff")
        assert read_all(connection) == b"good bye\0"


def test_much_data_comes_back_complete_while_it_is_sent(forward: Callable[[str], int]) -> None:
    data = os.urandom(MEGABYTE) * 8
    with server(echo) as port, connect(forward(str(port))) as connection:
        sender = threading.Thread(target=connection.sendall, args=[data])
        sender.start()
        found = b""
        while len(found) < len(data):
            found += connection.recv(MEGABYTE)
        assert found == data
        sender.join()


def test_several_connections_are_kept_apart(forward: Callable[[str], int]) -> None:
    with server(echo) as port:
        local = forward(str(port))
        connections = [connect(local) for _ in range(5)]
        for number, connection in enumerate(connections):
            connection.sendall(b"%d" % number)
        for number, connection in enumerate(connections):
            assert connection.recv(1) == b"%d" % number
            connection.close()


def test_without_a_listener_a_client_sees_a_reset_instead_of_an_end(forward: Callable[[str], int]) -> None:
    port = forward(f"localhost:{free_port()}")
    with pytest.raises(ConnectionResetError), connect(port) as connection:
        connection.recv(1)


@pytest.mark.parametrize("network", ["of its own"], indirect=True)
def test_without_ipv6_a_missing_listener_is_also_reported(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    one = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", free_port())))[0]
    with pytest.raises(ConnectionResetError), connect(one.endpoint.port) as connection:
        connection.recv(1)
    assert wait_until(lambda: one.failure != "", TIMEOUT)
    assert one.failure
    assert "assign" not in one.failure  # nc of OpenBSD reports nothing
    held.end()


def test_a_client_that_disconnects_ends_the_remote_connection(forward: Callable[[str], int]) -> None:
    with server_that_detects_the_end() as (port, ended):
        with connect(forward(str(port))) as connection:
            connection.sendall(b"hello")
        assert ended.wait(TIMEOUT)


@pytest.mark.parametrize("program", ["python3", "perl"], indirect=True)
def test_one_direction_may_end_before_the_other(forward: Callable[[str], int]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(read_all(connection).upper())

    with server(serve) as port, connect(forward(str(port))) as connection:
        connection.sendall(b"hello")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"HELLO"


@pytest.mark.parametrize("program", ["python3", "perl", "socat", "nc"], indirect=True)
def test_a_unix_socket_there_is_a_socket_here(target: Target, pool: TargetPool) -> None:
    there, here = target.local / "there", target.local / "here"
    held = TargetForwards(pool)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as connection:
        listening.bind(str(there))
        listening.listen()
        held.hold("the test", Forward(Endpoint(path=str(here)), Endpoint(path="/there/there")))
        for each in (connection, listening):
            each.settimeout(TIMEOUT)
        connection.connect(str(here))
        near, _ = listening.accept()
        with near:
            near.sendall(b"hello")
            assert connection.recv(100) == b"hello"
    held.end()
    there.unlink()


@pytest.mark.parametrize("program", [""], indirect=True)
def test_without_such_a_program_the_error_lists_which_ones_would_work(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    one = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", free_port())))[0]
    with pytest.raises(ConnectionResetError), connect(one.endpoint.port) as connection:
        connection.recv(1)
    assert wait_until(lambda: one.failure != "", TIMEOUT)
    assert "python3, perl, socat, bash and nc" in one.failure
    held.end()
