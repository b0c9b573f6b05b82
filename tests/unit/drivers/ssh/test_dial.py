"""Tests for the first steps of connecting to a host, with a real `ssh -G` and a listener of the test."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.drivers.ssh.dial import CLIENT_VERSION, ConnectAhead, load_connector
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.errors import ConnectError

TIMEOUT = 20.0
"""Seconds for something that takes a few milliseconds."""

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(TIMEOUT)
        yield made


def query(tmp_path: Path, port: int, *lines: str, host: str = "devbox") -> Query:
    config = tmp_path / "config"
    config.write_text("\n".join(["Host devbox", "HostName 127.0.0.1", f"Port {port}", *lines]) + "\n")
    return Query(SshQueryRequest(host, ssh_config=str(config)), dict(os.environ))


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_a_host_is_dialed_and_greeted_in_the_background(listener: socket.socket, tmp_path: Path) -> None:
    with ConnectAhead(query(tmp_path, port_of(listener)), None) as ahead:
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(TIMEOUT)
            assert accepted.recv(256) == CLIENT_VERSION.encode() + b"\r\n"
            assert ahead.options().hostname == "127.0.0.1"
            assert ahead.stream is not None
    with ahead.stream:
        assert ahead.stream.fileno() >= 0  # it belongs to whoever took it


def test_an_error_closes_the_stream(listener: socket.socket, tmp_path: Path) -> None:
    ahead = ConnectAhead(query(tmp_path, port_of(listener)), None)
    with pytest.raises(ZeroDivisionError), ahead:
        1 / (ahead.options().hostname == "")
    assert ahead.stream is not None
    assert ahead.stream.fileno() == -1


@pytest.mark.parametrize("line", ["ProxyJump elsewhere", "ProxyCommand nc %h %p"])
def test_a_host_behind_another_one_is_not_dialed(listener: socket.socket, tmp_path: Path, line: str) -> None:
    with ConnectAhead(query(tmp_path, port_of(listener), line), None) as ahead:
        assert ahead.options().hostname == "127.0.0.1"
    assert ahead.stream is None


def test_if_nobody_listens_the_options_report_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = port_of(gone)
    with pytest.raises(ConnectError, match="connection refused"), ConnectAhead(query(tmp_path, port), None) as ahead:
        ahead.options()


def test_the_connector_is_loaded() -> None:
    assert load_connector().__name__ == "Connector"
