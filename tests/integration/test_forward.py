"""Forwarded ports over real servers: what goes in comes out, whole, in order, and with its end."""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from rdo.config import forwards
from rdo.config.forwards import Endpoint, Forward
from rdo.config.schema import Settings
from rdo.drivers.base import ChannelOptions
from rdo.drivers.docker.driver import DockerDriver
from rdo.forward.held_forward import HeldForward
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.reach import Target, reach_dropbear, reach_local, reach_ssh
from tests.ssh_client import ScriptedCaller
from tests.ssh_server import free_port

BOUND = 20.0
"""Seconds for anything that should happen at once."""

MEGABYTE = 1024 * 1024

NOT_DROPBEAR = pytest.mark.parametrize("target", ["ssh", "local", "docker"], indirect=True)
"""For what dropbear 2022.83 does not do: forward Unix sockets, or close a channel whose server is gone but that waits
for more input."""

Serve = Callable[[socket.socket], None]


def random_bytes(size: int) -> bytes:
    return os.urandom(MEGABYTE) * (size // MEGABYTE)


@contextmanager
def server(serve: Serve, host: str = "127.0.0.1") -> Iterator[int]:
    """A server that gives each connection to `serve` in a thread; its port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, free_port()))
        listening.listen(512)
        threads: list[threading.Thread] = []

        def run(connection: socket.socket) -> None:
            with connection, suppress(OSError):
                serve(connection)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threads.append(threading.Thread(target=run, args=[connection]))
                    threads[-1].start()

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            acceptor.join(BOUND)
            for thread in threads:
                thread.join(BOUND)


def echo(connection: socket.socket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def read_all(connection: socket.socket) -> bytes:
    pieces = []
    while data := connection.recv(65536):
        pieces.append(data)
    return b"".join(pieces)


def send_all(connection: socket.socket, data: bytes) -> None:
    with suppress(OSError):  # whoever reads notices
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def reach_container(request: pytest.FixtureRequest, directory: Path, stack: ExitStack) -> Target:
    """A container that has this machine's network."""
    engine: DockerEngine = request.getfixturevalue("docker_engine")
    name = stack.enter_context(engine.container("dash", {directory: "/there"}, network_mode="host"))
    environment = {**os.environ, "DOCKER_HOST": engine.host}
    driver = DockerDriver(Settings(container=name), str(directory), "default", environment)
    return Target(driver, environment, directory, "/there")


REACH = {"ssh": reach_ssh, "dropbear": reach_dropbear, "local": reach_local, "docker": reach_container}


@pytest.fixture(scope="module", params=REACH)
def target(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Each kind of target in its turn."""
    with ExitStack() as stack:
        yield REACH[request.param](request, tmp_path_factory.mktemp("shared"), stack)


@pytest.fixture
def pool(target: Target) -> Iterator[TargetPool]:
    """A target that is connected."""
    caller = ScriptedCaller(environment=target.environment)
    pool = TargetPool(target.driver.resolve(caller))
    with pool.shells.lease(caller, ChannelOptions):
        pass
    yield pool
    pool.close("the test is over")


@pytest.fixture
def forward(pool: TargetPool) -> Iterator[Callable[[str], int]]:
    """Forwards a port there: the port here."""
    held = TargetForwards(pool)

    def hold(word: str) -> int:
        wanted = forwards.parse(word)
        listen = wanted.listen if wanted.listen.port != wanted.destination.port else Endpoint(port=free_port())
        return held.hold("the test", wanted._replace(listen=listen))[0].listener.endpoint.port

    yield hold
    held.end()
    assert wait_until(lambda: not any(thread.name == "forward" for thread in threading.enumerate()), BOUND)


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    connection = socket.create_connection((host, port), BOUND)
    connection.settimeout(BOUND)
    return connection


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_bytes_go_both_ways_to_a_server_of_either_family(forward: Callable[[str], int], host: str) -> None:
    there = f"[{host}]" if ":" in host else host
    with server(echo, host) as port, connect(forward(f"{there}:{port}"), host) as connection:
        connection.sendall(b"hello\0\xff")
        assert connection.recv(100) == b"hello\0\xff"


def test_a_hundred_megabytes_arrive_as_they_were(forward: Callable[[str], int]) -> None:
    data = random_bytes(100 * MEGABYTE)
    with server(lambda connection: connection.sendall(data)) as port, connect(forward(str(port))) as connection:
        assert hashlib.sha256(read_all(connection)).digest() == hashlib.sha256(data).digest()


def test_what_is_sent_while_as_much_comes_back_is_whole(forward: Callable[[str], int]) -> None:
    data = random_bytes(20 * MEGABYTE)
    with server(echo) as port, connect(forward(str(port))) as connection:
        sender = threading.Thread(target=send_all, args=[connection, data])
        sender.start()
        assert read_all(connection) == data
        sender.join()


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


def test_a_server_that_says_its_last_word_still_reads(forward: Callable[[str], int]) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"last word")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_all(connection))

    with server(serve) as port:
        with connect(forward(str(port))) as connection:
            assert read_all(connection) == b"last word"
            connection.sendall(b"still heard")
        assert wait_until(lambda: heard == [b"still heard"], BOUND)


def test_a_slow_reader_does_not_hold_up_a_fast_one(forward: Callable[[str], int]) -> None:
    data = random_bytes(20 * MEGABYTE)
    with server(lambda connection: connection.sendall(data)) as port:
        local = forward(str(port))
        with connect(local) as slow, connect(local) as fast:
            assert slow.recv(10)
            assert read_all(fast) == data
            assert len(read_all(slow)) == len(data) - 10


def test_a_server_that_does_not_read_holds_up_nobody_and_little_is_held(forward: Callable[[str], int]) -> None:
    go_on = threading.Event()

    def serve(connection: socket.socket) -> None:
        assert go_on.wait(BOUND)
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
        slow.settimeout(BOUND)
        slow.shutdown(socket.SHUT_WR)
        assert len(read_all(slow)) == sent


def test_two_hundred_connections_at_once_are_kept_apart(pool: TargetPool, forward: Callable[[str], int]) -> None:
    count = 20 if pool.target.driver == "docker" else 200  # each costs the engine a program
    with server(echo) as port, ExitStack() as opened:
        local = forward(str(port))
        connections = [opened.enter_context(connect(local)) for _ in range(count)]
        for number, connection in enumerate(connections):
            connection.sendall(b"%d" % number)
        for number, connection in enumerate(connections):
            assert connection.recv(len(str(number)), socket.MSG_WAITALL) == b"%d" % number


def test_whoever_connects_to_nobody_sees_a_reset_and_no_end(forward: Callable[[str], int]) -> None:
    with connect(forward(f"localhost:{free_port()}")) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_a_client_that_resets_ends_the_connection_there(forward: Callable[[str], int]) -> None:
    ended = threading.Event()

    def serve(connection: socket.socket) -> None:
        with suppress(OSError):
            read_all(connection)
        ended.set()

    with server(serve) as port:
        connection = connect(forward(str(port)))
        connection.sendall(b"hello")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
        assert ended.wait(BOUND)


@NOT_DROPBEAR
def test_a_server_that_is_done_with_both_directions_ends_the_connection(forward: Callable[[str], int]) -> None:
    with server(lambda connection: connection.sendall(b"bye")) as port, connect(forward(str(port))) as connection:
        assert read_all(connection) == b"bye"
        with suppress(ConnectionError):
            while True:  # as to a server of this machine: some of it is taken, and then there is an error
                connection.sendall(bytes(65536))


def test_events_come_one_by_one_as_they_are_sent(forward: Callable[[str], int]) -> None:
    step = threading.Semaphore(0)

    def serve(connection: socket.socket) -> None:
        for number in range(5):
            assert step.acquire(timeout=BOUND)
            connection.sendall(b"data: %d\n\n" % number)

    with server(serve) as port, connect(forward(str(port))) as connection:
        for number in range(5):
            step.release()
            assert connection.recv(100) == b"data: %d\n\n" % number


def test_a_connection_goes_on_after_its_forward_has_ended(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    with server(echo) as port:
        local = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", port)))[0]
        with connect(local.listener.endpoint.port) as connection:
            connection.sendall(b"before")
            assert connection.recv(100) == b"before"
            held.drop("the test")
            assert wait_until(lambda: not accepts(local), BOUND)
            connection.sendall(b"after")
            assert connection.recv(100) == b"after"


def accepts(held: HeldForward) -> bool:
    with suppress(OSError), connect(held.listener.endpoint.port):
        return True
    return False


def test_an_open_connection_keeps_the_target_from_being_idle(pool: TargetPool, forward: Callable[[str], int]) -> None:
    with server(echo) as port:
        with connect(forward(str(port))) as connection:
            connection.sendall(b"x")
            assert connection.recv(1)
            assert pool.idle_for == 0
        assert wait_until(lambda: pool.idle_for > 0, BOUND)


def test_traffic_is_counted(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    with server(echo) as port:
        one = held.hold("the test", Forward(Endpoint(port=free_port()), Endpoint("localhost", port)))[0]
        with connect(one.listener.endpoint.port) as connection:
            connection.sendall(b"12345")
            assert connection.recv(5, socket.MSG_WAITALL) == b"12345"
            assert wait_until(lambda: one.traffic == (1, 1, 5, 5), BOUND)
        assert wait_until(lambda: one.traffic == (0, 1, 5, 5), BOUND)
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
        connection.settimeout(BOUND)
        connection.connect(str(here))
        listening.settimeout(BOUND)
        server_side, _ = listening.accept()
        with server_side:
            server_side.sendall(b"hello")
            assert connection.recv(100) == b"hello"
        held.end()
        assert not here.exists()
