"""Tests for closing a terminal that is not the controlling one: no signal reports it, so both clients react to it
themselves.
"""

from __future__ import annotations

import queue
import socket
import termios

import pytest

from rdo.ipc import protocol
from rdo.ipc.protocol import frame
from rdo.ipc.sockets import is_unread
from tests.e2e.project import Project
from tests.e2e.terminal import Terminal
from tests.native.clients import CLIENTS, Caller, await_probe, master, next_frame, socket_path, soon

ACCEPTED, STARTED = frame(protocol.ACCEPTED), frame(protocol.STARTED)
HUNG_UP = [(protocol.SIGNAL, b"HUP"), (protocol.SIGNAL, b"CONT")]
MORE_THAN_IT_HOLDS = 100_000
"""Bytes of output that nobody reads from the terminal. The socket has room for them."""


def hang_up(terminal: Terminal, connection: socket.socket, stage: str) -> None:
    """Close the terminal at that stage, and send what starts the command."""
    if stage == "requested":
        terminal.hang_up()
    connection.sendall(ACCEPTED)
    if stage == "accepted":
        assert soon(lambda: not is_unread(connection))
        terminal.hang_up()
    connection.sendall(STARTED)
    if stage == "raw":
        assert soon(lambda: not termios.tcgetattr(terminal.near)[3] & termios.ICANON)
    elif stage == "running":
        await_probe(connection)
    elif stage == "full":
        connection.sendall(frame(protocol.OUTPUT, bytes(MORE_THAN_IT_HOLDS)))
        assert terminal.shows("\0", 20)
    terminal.hang_up()


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stage", ["requested", "accepted", "started", "raw", "running", "full"])
def test_a_command_is_hung_up_at_each_stage(project: Project, client: str, stage: str) -> None:
    terminals: queue.Queue[Terminal] = queue.Queue()
    sent: list[tuple[bytes, bytes]] = []

    def play(connection: socket.socket) -> None:
        hang_up(terminals.get(), connection, stage)
        while sent[-1:] != HUNG_UP[-1:] and (seen := next_frame(connection)) != (b"", b""):
            sent.append(seen)
        connection.sendall(frame(protocol.EXIT, b"\5"))

    command = [*CLIENTS[client], "x"]
    path = socket_path(Caller(command, str(project.local), project.environment))
    with master(path, play), Terminal(command, project.local, project.environment, is_controlling=False) as terminal:
        terminals.put(terminal)
        assert soon(terminal.has_ended)
    assert [each for each in sent if each != (protocol.SIGNAL, b"PIPE") and each[0] != protocol.WINDOW] == HUNG_UP
    assert terminal.status() == 5
