"""The first steps to a host, with a real `ssh -G` and a listener of our own."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.drivers.ssh.connect_ahead import Approach, load_connector
from rdo.drivers.ssh.dial import GREETING
from rdo.drivers.ssh.options import Request
from rdo.drivers.ssh.query import Query
from rdo.errors import ConnectError

BOUND = 20.0
"""Seconds for what takes a few milliseconds."""

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh is not installed")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.settimeout(BOUND)
        yield made


def query(tmp_path: Path, port: int, *lines: str, host: str = "devbox") -> Query:
    config = tmp_path / "config"
    config.write_text("\n".join(["Host devbox", "HostName 127.0.0.1", f"Port {port}", *lines]) + "\n")
    return Query(Request(host, ssh_config=str(config)), dict(os.environ))


def port_of(listener: socket.socket) -> int:
    port: int = listener.getsockname()[1]
    return port


def test_a_host_is_dialed_and_greeted_while_other_things_are_done(listener: socket.socket, tmp_path: Path) -> None:
    with Approach(query(tmp_path, port_of(listener)), None) as approach:
        accepted, _ = listener.accept()
        with accepted:
            accepted.settimeout(BOUND)
            assert accepted.recv(256) == GREETING.encode() + b"\r\n"
            assert approach.options().hostname == "127.0.0.1"
            assert approach.wire is not None
    with approach.wire:
        assert approach.wire.fileno() >= 0  # it is for whoever took it


def test_an_error_closes_the_stream(listener: socket.socket, tmp_path: Path) -> None:
    approach = Approach(query(tmp_path, port_of(listener)), None)
    with pytest.raises(ZeroDivisionError), approach:
        1 / (approach.options().hostname == "")
    assert approach.wire is not None
    assert approach.wire.fileno() == -1


@pytest.mark.parametrize("line", ["ProxyJump elsewhere", "ProxyCommand nc %h %p"])
def test_a_host_behind_another_one_is_not_dialed(listener: socket.socket, tmp_path: Path, line: str) -> None:
    with Approach(query(tmp_path, port_of(listener), line), None) as approach:
        assert approach.options().hostname == "127.0.0.1"
    assert approach.wire is None


def test_where_nobody_listens_the_options_say_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = port_of(gone)
    with pytest.raises(ConnectError, match="connection refused"), Approach(query(tmp_path, port), None) as approach:
        approach.options()


def test_the_connector_is_loaded() -> None:
    assert load_connector().__name__ == "Connector"
