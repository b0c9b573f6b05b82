"""Tests for connecting to a server by a name with several addresses."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers import endpoint_socket
from tests.ssh_server import free_port
from tests.tcp_server import TIMEOUT, echo, server

UNREACHABLE = "255.255.255.255"
"""Nobody can connect to it, and the error is immediate and different from a refused connection."""


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Sets the addresses of a name."""
    addresses: list[tuple[str, int]] = []

    def look_up(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", address) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return addresses


def test_each_address_is_tried(found: list[tuple[str, int]]) -> None:
    with server(echo) as port:
        found += [("127.0.0.1", free_port()), ("127.0.0.1", port)]
        with endpoint_socket.connect(Endpoint("there", 1), TIMEOUT) as connection:
            connection.sendall(b"hello")
            assert connection.recv(5, socket.MSG_WAITALL) == b"hello"


def test_of_several_addresses_the_error_of_the_first_is_reported(found: list[tuple[str, int]]) -> None:
    found += [("127.0.0.1", free_port()), (UNREACHABLE, 1)]
    with pytest.raises(ConnectionRefusedError):
        endpoint_socket.connect(Endpoint("there", 1), TIMEOUT)
