"""Tests for SOCKS proxies that connect from a target: real servers, and clients of each version."""

from __future__ import annotations

import select
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from rdo.config.forwards import Endpoint, Forward, ForwardKind
from rdo.forward.failure_report import FailureReport
from rdo.forward.target_forwards import TargetForwards
from rdo.pool.target_pool import TargetPool
from tests.conftest import require
from tests.forward_limits import SEEN_HERE
from tests.leaks import wait_until
from tests.ssh_server import free_port
from tests.tcp_server import TIMEOUT, connect, echo, read_all, server


@pytest.fixture
def proxy(pool: TargetPool) -> Iterator[int]:
    held = TargetForwards(pool)
    wanted = Forward(Endpoint(port=free_port()), Endpoint(), kind=ForwardKind.DYNAMIC)
    yield held.hold("the test", wanted)[0].endpoint.port
    held.end()


def by_socks_4(host: str, port: int) -> tuple[bytes, int]:
    return b"\4\1" + port.to_bytes(2, "big") + socket.inet_aton(host) + b"\0", 8


def by_socks_4a(host: str, port: int) -> tuple[bytes, int]:
    return b"\4\1" + port.to_bytes(2, "big") + b"\0\0\0\1\0" + host.encode() + b"\0", 8


def by_socks_5(host: str, port: int) -> tuple[bytes, int]:
    name = host.encode()
    address = b"\4" + socket.inet_pton(socket.AF_INET6, host) if ":" in host else b"\3" + bytes([len(name)]) + name
    return b"\5\1\0\5\1\0" + address + port.to_bytes(2, "big"), 12


Version = Callable[[str, int], tuple[bytes, int]]


def connect_by(proxy: int, version: Version, host: str, port: int) -> tuple[socket.socket, bytes]:
    """A connection through the proxy, and its reply to the request."""
    said, size = version(host, port)
    connection = connect(proxy)
    connection.sendall(said)
    answer = b""
    while len(answer) < size and (data := connection.recv(size - len(answer))):
        answer += data
    return connection, answer


@SEEN_HERE
@pytest.mark.parametrize(
    ("version", "host"),
    [(by_socks_4, "127.0.0.1"), (by_socks_4a, "localhost"), (by_socks_5, "localhost"), (by_socks_5, "::1")],
)
def test_a_client_of_each_version_reaches_a_server(proxy: int, version: Version, host: str) -> None:
    with server(echo, "::1" if ":" in host else "127.0.0.1") as port:
        connection, answer = connect_by(proxy, version, host, port)
        with connection:
            assert answer[:2] == b"\0\x5a" or answer[2:4] == b"\5\0"
            connection.sendall(b"hello")
            assert connection.recv(100) == b"hello"
            connection.shutdown(socket.SHUT_WR)
            assert read_all(connection) == b""


@SEEN_HERE
def test_the_servers_first_data_comes_after_the_reply(proxy: int) -> None:
    with server(lambda connection: connection.sendall(b"220 ready")) as port:
        connection, answer = connect_by(proxy, by_socks_5, "127.0.0.1", port)
        with connection:
            assert answer[2:4] == b"\5\0"
            assert read_all(connection) == b"220 ready"


@SEEN_HERE
def test_if_nobody_listens_the_client_is_told(proxy: int) -> None:
    connection, answer = connect_by(proxy, by_socks_5, "127.0.0.1", free_port())
    with connection:
        assert answer[2:3] == b"\5"
        assert answer[3] != 0
        with suppress(ConnectionResetError):
            assert read_all(connection) == b""


@pytest.mark.parametrize("way", ["ssh"], indirect=True)
def test_clients_that_send_no_request_delay_nobody(proxy: int) -> None:
    with server(echo) as port, ExitStack() as opened:
        for _ in range(100):
            opened.enter_context(connect(proxy)).sendall(b"\5")
        connection, _ = connect_by(proxy, by_socks_5, "localhost", port)
        with connection:
            connection.sendall(b"x")
            assert connection.recv(1) == b"x"
        with connect(proxy) as other:
            other.sendall(b"GET / HTTP/1.1\r\n\r\n")
            with suppress(ConnectionResetError):
                assert read_all(other) == b""


@pytest.mark.parametrize("way", ["ssh"], indirect=True)
def test_two_hundred_concurrent_clients_are_kept_apart(proxy: int) -> None:
    with server(echo) as port, ExitStack() as opened:
        clients = [opened.enter_context(connect_by(proxy, by_socks_5, "localhost", port)[0]) for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
        for number, client in enumerate(clients):
            assert client.recv(len(str(number)), socket.MSG_WAITALL) == b"%d" % number


@pytest.mark.parametrize("way", ["ssh"], indirect=True)
@pytest.mark.parametrize("option", ["--socks4", "--socks4a", "--socks5", "--socks5-hostname"])
def test_curl_gets_a_page(proxy: int, option: str) -> None:
    curl = shutil.which("curl") or require("curl", "it is not installed")

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\npage")

    with server(serve) as port:
        words = [str(curl), "-sS", "-4", option, f"127.0.0.1:{proxy}", f"http://localhost:{port}/"]
        done = subprocess.run(words, capture_output=True, timeout=TIMEOUT, check=False)
    assert (done.stdout, done.stderr) == (b"page", b"")


@pytest.mark.parametrize("way", ["ssh"], indirect=True)
@pytest.mark.parametrize(
    "said", [b"GET / HTTP/1.0\r\n\r\n", by_socks_4("127.0.0.1", 1)[0]], ids=["no SOCKS", "no server"]
)
def test_the_reason_of_a_refusal_is_reported_before_the_client_sees_it(pool: TargetPool, said: bytes) -> None:
    held, told = TargetForwards(pool), []

    def tell(line: str) -> bool:
        told.append((line, select.select([client], [], [], 0)[0]))
        return True

    wanted = Forward(Endpoint(port=free_port()), Endpoint(), kind=ForwardKind.DYNAMIC)
    port = held.hold(FailureReport(tell), wanted)[0].endpoint.port
    with connect(port) as client:
        client.sendall(said)
        with suppress(ConnectionResetError):
            read_all(client)
    assert [seen for _, seen in told] == [[]]
    held.end()


@pytest.mark.parametrize("way", ["ssh"], indirect=True)
def test_nothing_is_left_of_clients_that_hang_up(pool: TargetPool) -> None:
    held = TargetForwards(pool)
    wanted = Forward(Endpoint(port=free_port()), Endpoint(), kind=ForwardKind.DYNAMIC)
    one = held.hold("the test", wanted)[0]
    with connect(one.endpoint.port) as connection:
        connection.sendall(b"\5\1\0\5")
        assert wait_until(lambda: one.traffic.open == 1, TIMEOUT)
    assert wait_until(lambda: one.traffic[:2] == (0, 1), TIMEOUT)
    assert pool.idle_for > 0
    held.end()
