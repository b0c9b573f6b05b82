"""Forwards into a container of podman, which starts programs by the same interface as Docker, in its own way."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from rdo.config.schema import Settings
from rdo.drivers.docker.driver import DockerDriver
from tests.conftest import require
from tests.podman_engine import podman, why_not
from tests.reach import Target
from tests.ssh_server import free_port
from tests.tcp_server import connect, echo, read_all, send_all, server

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def way() -> str:
    """See conftest."""
    return "docker"


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """A container of podman that has this machine's network."""
    if reason := why_not():
        require("podman", reason)
    directory = tmp_path_factory.mktemp("shared")
    with podman() as engine, engine.container(directory) as name:
        environment = {**os.environ, "DOCKER_HOST": engine.host}
        driver = DockerDriver(Settings(container=name), str(directory), "default", environment)
        yield Target(driver, environment, directory, "/there")


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_bytes_go_both_ways_to_a_server_of_either_family(forward: Callable[[str], int], host: str) -> None:
    there = f"[{host}]" if ":" in host else host
    with server(echo, host) as port, connect(forward(f"{there}:{port}"), host) as connection:
        connection.sendall(b"hello\0\xff")
        assert connection.recv(100) == b"hello\0\xff"


def test_what_is_sent_while_as_much_comes_back_is_whole(forward: Callable[[str], int]) -> None:
    data = os.urandom(5_000_000)
    with server(echo) as port, connect(forward(str(port))) as connection:
        sender = threading.Thread(target=send_all, args=[connection, data])
        sender.start()
        assert read_all(connection) == data
        sender.join()


def test_the_end_of_either_side_leaves_the_other_open(forward: Callable[[str], int]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"first")
        connection.sendall(read_all(connection).upper())

    with server(serve) as port, connect(forward(str(port))) as connection:
        assert connection.recv(5, socket.MSG_WAITALL) == b"first"
        connection.sendall(b"then")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"THEN"


def test_whoever_connects_to_nobody_sees_a_reset_and_no_end(forward: Callable[[str], int]) -> None:
    port = forward(f"localhost:{free_port()}")
    with pytest.raises(ConnectionResetError), connect(port) as connection:
        connection.recv(1)
