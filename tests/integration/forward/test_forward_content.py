"""Tests for forwarded ports over real servers: data is transferred completely and in order."""

from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

from rdo.config.forwards import Endpoint, Forward
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.forward_limits import NOT_DROPBEAR
from tests.leaks import wait_until
from tests.reach import Target
from tests.soak import tries
from tests.ssh_server import free_port
from tests.tcp_server import TIMEOUT, connect, echo, read_all, send_all, server

MEGABYTE = 1024 * 1024


def random_bytes(size: int) -> bytes:
    return os.urandom(MEGABYTE) * (size // MEGABYTE)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_bytes_go_both_ways_to_a_server_of_either_family(forward: Callable[[str], int], host: str) -> None:
    there = f"[{host}]" if ":" in host else host
    with server(echo, host) as port, connect(forward(f"{there}:{port}"), host) as connection:
        connection.sendall(b"hello\0\xff")
        assert connection.recv(100) == b"hello\0\xff"


@pytest.mark.soak
def test_many_megabytes_arrive_unchanged(forward: Callable[[str], int]) -> None:
    data = random_bytes(tries(25, 100) * MEGABYTE)
    with server(lambda connection: connection.sendall(data)) as port, connect(forward(str(port))) as connection:
        assert hashlib.sha256(read_all(connection)).digest() == hashlib.sha256(data).digest()


def test_simultaneous_data_in_both_directions_is_complete(forward: Callable[[str], int]) -> None:
    data = random_bytes(20 * MEGABYTE)
    with server(echo) as port, connect(forward(str(port))) as connection:
        sender = threading.Thread(target=send_all, args=[connection, data])
        sender.start()
        assert read_all(connection) == data
        sender.join()


def test_a_slow_reader_does_not_delay_a_fast_one(forward: Callable[[str], int]) -> None:
    data = random_bytes(20 * MEGABYTE)
    with server(lambda connection: connection.sendall(data)) as port:
        local = forward(str(port))
        with connect(local) as slow, connect(local) as fast:
            assert slow.recv(10)
            assert read_all(fast) == data
            assert len(read_all(slow)) == len(data) - 10


def test_a_server_that_does_not_read_delays_nobody_and_little_is_buffered(forward: Callable[[str], int]) -> None:
    go_on = threading.Event()

    def serve(connection: socket.socket) -> None:
        assert go_on.wait(TIMEOUT)
        echo(connection)

    with server(serve) as stuck, server(echo) as quick, ExitStack() as opened:
        slow = opened.enter_context(connect(forward(str(stuck))))
        fast = opened.enter_context(connect(forward(str(quick))))
        slow.settimeout(1.0)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 * MEGABYTE:
                sent += slow.send(bytes(65536))
        assert sent < 64 * MEGABYTE
        fast.sendall(b"quick")
        assert fast.recv(100) == b"quick"
        go_on.set()
        slow.settimeout(TIMEOUT)
        slow.shutdown(socket.SHUT_WR)
        assert len(read_all(slow)) == sent


def test_two_hundred_concurrent_connections_are_kept_apart(pool: TargetPool, forward: Callable[[str], int]) -> None:
    count = 20 if pool.target.driver == "docker" else 200  # each connection costs the engine a program
    with server(echo) as port, ExitStack() as opened:
        local = forward(str(port))
        connections = [opened.enter_context(connect(local)) for _ in range(count)]
        for number, connection in enumerate(connections):
            connection.sendall(b"%d" % number)
        for number, connection in enumerate(connections):
            assert connection.recv(len(str(number)), socket.MSG_WAITALL) == b"%d" % number


def test_events_come_one_by_one_as_they_are_sent(forward: Callable[[str], int]) -> None:
    step = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        for number in range(5):
            assert step.acquire(timeout=TIMEOUT)
            connection.sendall(b"data: %d\n\n" % number)

    with server(serve) as port, connect(forward(str(port))) as connection:
        for number in range(5):
            step.release()
            assert connection.recv(100) == b"data: %d\n\n" % number


def test_traffic_is_counted(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    with server(echo) as port:
        one = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", port)))[0]
        with connect(one.endpoint.port) as connection:
            connection.sendall(b"12345")
            assert connection.recv(5, socket.MSG_WAITALL) == b"12345"
            assert wait_until(lambda: one.traffic == (1, 1, 5, 5), TIMEOUT)
        assert wait_until(lambda: one.traffic == (0, 1, 5, 5), TIMEOUT)
    held.end()


@NOT_DROPBEAR
def test_a_unix_socket_there_is_a_socket_here(target: Target, pool: TargetPool) -> None:
    there, here = target.local / "there", target.local / "here"
    held = TargetForwards(pool)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as connection:
        listening.bind(str(there))
        listening.listen()
        held.hold("the test", Forward(Endpoint(path=str(here)), Endpoint(path=f"{target.remote}/there")))
        assert here.stat().st_mode & 0o777 == 0o600
        connection.settimeout(TIMEOUT)
        connection.connect(str(here))
        listening.settimeout(TIMEOUT)
        server_side, _ = listening.accept()
        with server_side:
            server_side.sendall(b"hello")
            assert connection.recv(100) == b"hello"
        held.end()
        assert not here.exists()
