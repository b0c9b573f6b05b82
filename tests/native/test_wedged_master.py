"""Tests for a master that does not read any more: both clients report it, and give it up; see PROTOCOL.md,
section 1.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from rdo.client.master_watch import INTERVAL
from rdo.ipc import peercred, protocol
from rdo.ipc.protocol import frame
from tests.e2e.project import Project
from tests.native.clients import Caller, Play, Seen, await_probe, next_frame, run
from tests.soak import tries

UP = frame(protocol.ACCEPTED) + frame(protocol.STARTED)
EXIT = frame(protocol.EXIT, b"\3")
PROBE = frame(protocol.PROBE)

SILENCE = 2.0
"""Seconds after which each client has reported it: half a second, one more, and time for a busy machine."""

SILENT = rb"rdo: no answer from the control master for [12] s\r\n"
AGAIN = rb"rdo: the control master answers again, after \d s\r\n"

each_client = pytest.mark.parametrize("client", ["native", "python"])


def wedged(*pieces: bytes, seconds: float = SILENCE, then: bytes = EXIT) -> Play:
    """Send these frames, read nothing for this many seconds, and continue."""

    def play(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        time.sleep(seconds)
        connection.sendall(then)

    return play


def caller(project: Project, *words: str, terminals: str = "2", stdin: int = subprocess.DEVNULL) -> Caller:
    return Caller(words or ("echo", "x"), str(project.local), project.environment, terminals, stdin)


@each_client
def test_it_is_reported_on_a_terminal_and_so_is_its_end(project: Project, client: str) -> None:
    seen = run(client, caller(project), wedged(UP))
    assert re.fullmatch(SILENT + AGAIN, seen.shown), seen
    assert (seen.status, seen.stdout) == (3, b"")


@each_client
def test_it_is_reported_on_its_own_line(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"O", b"in the middle")))
    assert re.fullmatch(rb"in the middle\r\n" + SILENT + AGAIN, seen.shown), seen


@each_client
def test_it_is_not_reported_on_the_alternate_screen(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"S", b"1"), frame(b"O", b"full")))
    assert seen.shown == b"full"
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"S", b"1"), frame(b"S", b"0")))
    assert re.fullmatch(SILENT + AGAIN, seen.shown), seen


@each_client
def test_it_is_not_reported_if_stderr_is_not_a_terminal(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals=""), wedged(UP))
    assert (seen.status, seen.stdout, seen.stderr) == (3, b"", b"")


@each_client
def test_a_client_that_only_copies_files_does_not_probe(project: Project, client: str) -> None:
    seen = run(client, caller(project, "--sync-only"), wedged(UP))
    assert (seen.status, seen.shown) == (3, b"")
    assert PROBE not in seen.sent


def read_for(connection: socket.socket, seconds: float) -> bytes:
    """Read everything that arrives in this time."""
    connection.settimeout(0.05)
    deadline, data = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            data += connection.recv(1 << 16)
    return data


@each_client
def test_a_master_that_reads_is_probed_and_nothing_is_reported(project: Project, client: str) -> None:
    asked: list[bytes] = []

    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        asked.append(read_for(connection, SILENCE))
        connection.sendall(EXIT)

    seen = run(client, caller(project), play)
    assert (seen.status, seen.shown) == (3, b"")
    assert asked != [b""]
    assert asked[0] == PROBE * asked[0].count(PROBE)
    assert asked[0].count(PROBE) <= SILENCE / INTERVAL


@each_client
def test_input_in_transit_is_not_regarded_as_held(project: Project, client: str) -> None:
    end, start = os.pipe()

    def write() -> None:
        with contextlib.suppress(BrokenPipeError):
            while True:
                os.write(start, b"x")
                time.sleep(0.01)

    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        read_for(connection, SILENCE)
        connection.sendall(EXIT)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = run(client, caller(project, stdin=end), play)
    finally:
        os.close(end)
        writer.join()
        os.close(start)
    assert (seen.status, seen.shown) == (3, b"")


@each_client
def test_a_master_that_sends_is_not_probed(project: Project, client: str) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(UP)
        for _ in range(75):
            time.sleep(0.02)
            connection.sendall(frame(b"O", b"x"))
        connection.sendall(EXIT)

    seen = run(client, caller(project), play)
    assert (seen.stdout, seen.shown) == (b"x" * 75, b"")
    assert seen.sent.count(PROBE) <= 1, "a machine under load may have been slower"


LOST = (
    b"rdo: the command was lost: the control master does not respond; it may still run; `rdoctl stop --now` ends it\n"
)


@each_client
def test_the_time_in_which_a_client_was_stopped_is_not_counted(project: Project, client: str) -> None:
    def play(connection: socket.socket) -> None:
        process = peercred.pid(connection)
        assert process
        connection.sendall(UP + frame(b"O", b"x"))
        await_probe(connection)
        os.kill(process, signal.SIGTERM)
        assert next_frame(connection) == (protocol.SIGNAL, b"TERM")
        time.sleep(0.6)
        os.kill(process, signal.SIGSTOP)
        time.sleep(3.5)
        os.kill(process, signal.SIGCONT)
        time.sleep(1.5)
        connection.sendall(EXIT)

    seen = run(client, caller(project, terminals=""), play)
    assert (seen.status, seen.stderr) == (3, b"")


@pytest.mark.soak
@pytest.mark.skipif(not tries(0, 1), reason="takes most of a minute: see `make soak`")
@each_client
def test_it_is_given_up_eventually(project: Project, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.native.clients.TIMEOUT", 60.0)
    seen: Seen = run(client, caller(project, terminals=""), wedged(UP, seconds=40, then=b""))
    assert (seen.status, seen.stderr) == (255, LOST)
