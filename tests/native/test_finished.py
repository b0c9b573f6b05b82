"""Tests for both clients after the command has ended, while the control master still works."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import termios
import time

import pytest

from rdo.ipc import peercred, protocol
from rdo.ipc.protocol import frame
from tests.e2e.project import Project
from tests.native.clients import CLIENTS, TIMEOUT, Caller, run, soon

UP = frame(protocol.ACCEPTED) + frame(protocol.STARTED)
FINISHED = frame(protocol.FINISHED)
EXIT = frame(protocol.EXIT, b"\3")

each_client = pytest.mark.parametrize("client", CLIENTS)


def caller(project: Project, terminals: str = "") -> Caller:
    return Caller(["x"], str(project.local), project.environment, terminals)


@each_client
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, -15), (signal.SIGHUP, -1)])
def test_a_signal_ends_it_like_any_program(project: Project, client: str, number: int, status: int) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(UP + FINISHED)
        connection.settimeout(0.05)
        deadline = time.monotonic() + TIMEOUT
        while time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                if not connection.recv(100):  # an earlier one was passed on
                    return
            with contextlib.suppress(ProcessLookupError):
                os.kill(peercred.pid(connection) or 0, number)

    assert run(client, caller(project), play).status == status


@each_client
@pytest.mark.skipif(sys.platform != "linux", reason="looks at the terminal by /proc")
def test_the_caller_has_its_terminal_again(project: Project, client: str) -> None:
    seen: list[bool] = []

    def play(connection: socket.socket) -> None:
        terminal = os.open(f"/proc/{peercred.pid(connection)}/fd/0", os.O_RDWR | os.O_NOCTTY)

        def is_cooked() -> bool:
            return bool(termios.tcgetattr(terminal)[3] & termios.ICANON)

        with contextlib.closing(os.fdopen(terminal, "rb", buffering=0)):
            connection.sendall(UP)
            seen.append(soon(lambda: not is_cooked()))
            connection.sendall(FINISHED)
            seen.append(soon(is_cooked))
        connection.sendall(frame(b"G", b"rdo: getting files") + frame(b"N", b"rdo: done") + EXIT)

    done = run(client, caller(project, "012"), play)
    assert (seen, done.status) == ([True, True], 3)
    assert b"rdo: getting files\x1b[K" in done.shown
    assert done.shown.endswith(b"rdo: done\r\n")
