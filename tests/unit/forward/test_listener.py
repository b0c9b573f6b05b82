"""Tests for what a forward listens on: which Unix sockets are replaced, and what is reported if it cannot listen."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.config.forwards import Endpoint
from rdo.errors import SetupError
from rdo.forward.listener import listen


def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()
    listener = listen(Endpoint(path=str(path)))
    with listener.sockets[0] as listening, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        listening.accept()[0].close()
        with pytest.raises(SetupError, match="something is there already; remove it, or choose another path"):
            listen(Endpoint(path=str(path)))
        listener.remove()
    assert not path.exists()


def test_a_socket_of_a_busy_server_is_not_replaced(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as first:
        server.bind(path)
        server.listen(0)
        first.connect(path)
        with pytest.raises(SetupError):
            listen(Endpoint(path=path))
        server.accept()[0].close()


@pytest.mark.parametrize("kind", ["file", "directory", "link", "datagrams"])
def test_other_files_are_not_replaced(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams, socket.socket(socket.AF_UNIX) as dead:
        if kind == "file":
            path.touch()
        elif kind == "directory":
            path.mkdir()
        elif kind == "link":
            dead.bind(str(tmp_path / "there"))
            path.symlink_to("there")
        else:
            datagrams.bind(str(path))
        with pytest.raises(SetupError, match="something is there already"):
            listen(Endpoint(path=str(path)))
    assert path.exists()


@contextlib.contextmanager
def no_file_left() -> Iterator[None]:
    """One file that could be opened, as for a control master with many forwards."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    held = []
    try:
        with contextlib.suppress(OSError):
            while True:
                held.append(os.open("/dev/null", os.O_RDONLY))
        yield
    finally:
        for each in held:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.parametrize("wanted", [Endpoint(port=23456), Endpoint(path="/tmp/rdo-no-file-left")], ids=["port", "path"])
def test_a_process_that_may_open_no_more_files_reports_it_with_advice(wanted: Endpoint) -> None:
    with no_file_left(), pytest.raises(SetupError) as caught:
        listen(wanted)
    assert caught.value.why == "too many open files"
    assert caught.value.hint == "raise `ulimit -n`, and type `rdoctl stop --all`; or forward fewer ports"


@pytest.mark.parametrize("host", ["192.0.2.1", "name.invalid"])
def test_an_address_of_another_machine_is_an_error_that_names_it(host: str) -> None:
    with pytest.raises(SetupError) as caught:
        listen(Endpoint(host, 23456))
    assert caught.value.hint == "name an address of this machine"
