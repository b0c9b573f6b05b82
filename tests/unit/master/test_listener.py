"""Tests for who may connect to a control socket."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent import futures
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from rdo.master.listener import ROOM_INTERVAL, ControlListener

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

TIMEOUT = 20.0
"""Seconds for a connection, which takes no time."""

CONNECT = """
import os, socket, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[2])
    print("connected", flush=True)
    print(connection.recv(1))
"""


@pytest.fixture
def listener() -> Iterator[ControlListener]:
    """A socket that everybody can reach, as if the directory had failed to protect it."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        path = Path(directory, "socket")
        made = ControlListener(str(path))
        path.chmod(0o666)
        yield made
        made.close()
        made._socket.close()


@pytest.fixture
def accepting(listener: ControlListener) -> Iterator[Future[socket.socket]]:
    """What a thread that waits at the socket returns."""
    with ThreadPoolExecutor(1) as threads:
        accepted = threads.submit(listener.accept)
        yield accepted
        if not accepted.done():
            with connect(listener):
                pass
        accepted.result(TIMEOUT).close()


def connect(listener: ControlListener) -> socket.socket:
    """Connect as a client of the same user."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(listener._path)
    return client


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_connection_of_another_user_is_closed_unread(
    listener: ControlListener, accepting: Future[socket.socket]
) -> None:
    command = [sys.executable, "-I", "-S", "-c", CONNECT, str(ANOTHER_USER), listener._path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/") as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.read() == b"connected\nb''\n"
    assert not accepting.done()


def test_a_connection_of_the_same_user_is_accepted(listener: ControlListener, accepting: Future[socket.socket]) -> None:
    with connect(listener) as client:
        client.sendall(b"hello")
        assert accepting.result(TIMEOUT).recv(5) == b"hello"


def test_a_connection_without_a_free_descriptor_is_accepted_later(
    listener: ControlListener,
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as client, ThreadPoolExecutor(1) as threads:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            accepted = threads.submit(listener.accept)
            client.connect(listener._path)
            with pytest.raises(futures.TimeoutError):  # which is not the built-in one before Python 3.11
                accepted.result(2 * ROOM_INTERVAL)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        accepted.result(TIMEOUT).close()
