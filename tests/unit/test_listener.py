"""Who may connect to a control socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.listener import Listener

ANOTHER_USER = 54321
"""A uid that no user of the machine has."""

PATIENCE = 20.0
"""Seconds for a connection, which takes none."""

CONNECT = """
import os, socket, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect(sys.argv[2])
    print("connected", flush=True)
    print(connection.recv(1))
"""


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A socket that everybody can reach, as if the folder had failed to guard it."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        path = Path(folder, "socket")
        made = Listener(str(path))
        path.chmod(0o666)
        yield made
        made.close()
        for each in (made._socket, made._wake_near, made._wake_far):
            each.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_connection_of_another_user_is_closed_unheard(listener: Listener) -> None:
    command = [sys.executable, "-I", "-S", "-c", CONNECT, str(ANOTHER_USER), listener._path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd="/") as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == b"connected\n"
        assert listener.accept(PATIENCE) == []
        assert stranger.stdout.read() == b"b''\n"


def test_a_connection_of_the_same_user_is_taken(listener: Listener) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(listener._path)
        (accepted,) = listener.accept(PATIENCE)
        accepted.close()
