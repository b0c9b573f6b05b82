"""Tests for how forwarded connections end over real servers: by either side, in one direction or both, or by a
reset.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import pytest

from rdo.config.forwards import Endpoint, Forward
from rdo.forward.held_forward import HeldForward
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from rdo.util.threads import WORKER_LIMIT
from tests.forward_limits import NOT_DROPBEAR, SEEN_HERE
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.tcp_server import TIMEOUT, connect, echo, read_all, server, server_that_detects_the_end


def test_the_end_of_either_side_leaves_the_other_open(forward: Callable[[str], int]) -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"first")
        data = read_all(connection)
        connection.sendall(data.upper())

    with server(serve) as port, connect(forward(str(port))) as connection:
        assert connection.recv(5, socket.MSG_WAITALL) == b"first"
        connection.sendall(b"then")
        connection.shutdown(socket.SHUT_WR)
        assert read_all(connection) == b"THEN"


def test_a_server_that_has_sent_everything_still_reads(forward: Callable[[str], int]) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"last word")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_all(connection))

    with server(serve) as port:
        with connect(forward(str(port))) as connection:
            assert read_all(connection) == b"last word"
            connection.sendall(b"still heard")
        assert wait_until(lambda: heard == [b"still heard"], TIMEOUT)


@SEEN_HERE
def test_without_a_listener_a_client_sees_a_reset_instead_of_an_end(forward: Callable[[str], int]) -> None:
    port = forward(f"localhost:{free_port()}")
    with pytest.raises(ConnectionResetError), connect(port) as connection:  # an early reset makes connecting fail
        connection.recv(1)


def test_a_reset_by_the_client_ends_the_remote_connection(forward: Callable[[str], int]) -> None:
    with server_that_detects_the_end() as (port, ended):
        connection = connect(forward(str(port)))
        connection.sendall(b"hello")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert ended.wait(TIMEOUT)


@NOT_DROPBEAR
def test_a_server_that_closes_both_directions_ends_the_connection(forward: Callable[[str], int]) -> None:
    with server(lambda connection: connection.sendall(b"bye")) as port, connect(forward(str(port))) as connection:
        assert read_all(connection) == b"bye"
        with suppress(ConnectionError):
            while True:  # as with a server on this machine: some of it is accepted, and then there is an error
                connection.sendall(bytes(65536))


def test_a_connection_continues_after_its_forward_has_ended(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    with server(echo) as port:
        local = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", port)))[0]
        with connect(local.endpoint.port) as connection:
            connection.sendall(b"before")
            assert connection.recv(100) == b"before"
            held.drop("the test")
            assert wait_until(lambda: not accepts(local), TIMEOUT)
            connection.sendall(b"after")
            assert connection.recv(100) == b"after"


def test_clients_that_leave_early_leave_no_connection_open(
    pool: TargetPool, forward: Callable[[str], int], way: str
) -> None:
    """More than can be opened at a time. Each one is, because a client that has sent everything may still read. An
    engine takes a while.
    """
    with server(echo) as port:  # which ends after all its connections
        local = forward(str(port))
        for _ in range(2 * WORKER_LIMIT if way in ("docker", "podman") else 100):
            connect(local).close()


def accepts(held: HeldForward) -> bool:
    with suppress(OSError), connect(held.endpoint.port):
        return True
    return False


def test_an_open_connection_keeps_the_target_from_being_idle(pool: TargetPool, forward: Callable[[str], int]) -> None:
    with server(echo) as port:
        with connect(forward(str(port))) as connection:
            connection.sendall(b"x")
            assert connection.recv(1)
            assert pool.idle_for == 0
        assert wait_until(lambda: pool.idle_for > 0, TIMEOUT)
