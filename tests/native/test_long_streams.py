"""Tests for long streams through both clients, most of which the kernel splices: they arrive complete."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sys
import threading
import time

import pytest

from rdo.ipc import peercred, protocol
from rdo.ipc.protocol import frame
from tests import clients
from tests.conftest import require
from tests.e2e.project import Project
from tests.native.clients import CLIENTS, Caller, Seen, run

UP = frame(protocol.ACCEPTED) + frame(protocol.STARTED)
EXIT = frame(protocol.EXIT, b"\3")
DATA = random.Random(1).randbytes(3 * 1024 * 1024)

each_client = pytest.mark.parametrize("client", CLIENTS)


def sent_input(seen: Seen) -> list[tuple[bytes, bytes]]:
    """What was sent after the request except PROBE, which may come at any time, with the frames of a stream joined."""
    found: list[tuple[bytes, bytes]] = []
    for kind, payload in protocol.Decoder().receive(seen.sent[protocol.HEADER_SIZE + len(seen.request) :]):
        if kind == protocol.PROBE:
            continue
        if found and found[-1][0] == kind == protocol.INPUT:
            found[-1] = kind, found[-1][1] + bytes(payload)
        else:
            found.append((kind, bytes(payload)))
    return found


def read_input(connection: socket.socket, received: list[bytes], size: int, pause: float = 0) -> None:
    """Read up to this many bytes at a time, until the end of input."""
    decoder = protocol.Decoder()
    frames = decoder.receive(b"".join(received))
    while not any(kind == protocol.END for kind, _ in frames):
        received.append(connection.recv(size))
        assert received[-1]
        frames = decoder.receive(received[-1])
        time.sleep(pause)


def give(project: Project, client: str, play: object, wrapper: tuple[str, ...] = ()) -> Seen:
    """Run a client with DATA on its stdin."""
    near, far = os.pipe()

    def feed() -> None:
        with os.fdopen(far, "wb", buffering=0) as pipe:
            rest = memoryview(DATA)
            while rest:
                rest = rest[pipe.write(rest) :]

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        caller = Caller(["x"], str(project.local), project.environment, stdin=near, wrapper=wrapper)
        return run(client, caller, play)  # type: ignore[arg-type]
    finally:
        os.close(near)
        feeder.join()


@each_client
def test_a_long_input_arrives_completely_although_the_master_is_slow(project: Project, client: str) -> None:
    received: list[bytes] = []

    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        read_input(connection, received, 50_000, pause=0.001)
        connection.sendall(EXIT)

    seen = give(project, client, play)
    seen.sent += b"".join(received)
    assert (seen.status, seen.stderr) == (3, b"")
    assert sent_input(seen) == [(protocol.INPUT, DATA), (protocol.END, b"")]


@each_client
def test_a_signal_is_sent_within_a_long_input(project: Project, client: str) -> None:
    received: list[bytes] = []

    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        received.append(connection.recv(100_000))
        time.sleep(0.2)  # until the client can send no more
        os.kill(peercred.pid(connection) or 0, signal.SIGUSR1)
        read_input(connection, received, 100_000)
        connection.sendall(EXIT)

    seen = give(project, client, play)
    seen.sent += b"".join(received)
    *parts, end = sent_input(seen)
    assert end == (protocol.END, b"")
    assert b"".join(payload for kind, payload in parts if kind == protocol.INPUT) == DATA
    assert [payload for kind, payload in parts if kind != protocol.INPUT] == [b"USR1"]


@pytest.mark.skipif(sys.platform != "linux" or bool(clients.CHOSEN), reason="strace(1) has the system refuse it")
@pytest.mark.parametrize("refused", ["1", "2", "3+", "4", "7+2"])
def test_input_is_copied_if_the_system_cannot_splice_into_a_socket(project: Project, refused: str) -> None:
    if shutil.which("strace") is None:
        require("strace", "strace is not installed")
    received: list[bytes] = []

    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        read_input(connection, received, 1 << 20)
        connection.sendall(EXIT)

    fault = f"inject=splice:error=EINVAL:when={refused}"
    trace = ("strace", "-qq", "-o", "/dev/null", "-e", "trace=splice", "-e", fault)
    seen = give(project, "native", play, trace)
    seen.sent += b"".join(received)
    assert (seen.status, seen.stderr) == (3, b"")
    assert sent_input(seen) == [(protocol.INPUT, DATA), (protocol.END, b"")]


@each_client
@pytest.mark.parametrize("size", [1, 65_535, 65_536, 262_144, 1_000_001])
def test_a_long_output_arrives_completely_in_frames_of_any_size(project: Project, client: str, size: int) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        for start in range(0, min(len(DATA), 1000 * size), size):
            kind = protocol.ERROR if start // size % 5 == 4 else protocol.OUTPUT
            connection.sendall(frame(kind, DATA[start : start + size]))
        connection.sendall(EXIT)

    seen = run(client, Caller(["x"], str(project.local), project.environment), play)
    pieces = [DATA[start : start + size] for start in range(0, min(len(DATA), 1000 * size), size)]
    assert seen.status == 3
    assert seen.stdout == b"".join(piece for index, piece in enumerate(pieces) if index % 5 != 4)
    assert seen.stderr == b"".join(pieces[4::5])
