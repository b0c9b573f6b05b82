"""A master that reads nothing any more is told of, and given up, by both clients: PROTOCOL.md, section 1."""

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
"""Seconds after which each client has told of it: half of one, one, and a loaded machine."""

SILENT = rb"rdo: no answer from the control master for [12] s\r\n"
AGAIN = rb"rdo: the control master answers again, after \d s\r\n"

each_client = pytest.mark.parametrize("client", ["native", "python"])


def wedged(*pieces: bytes, seconds: float = SILENCE, then: bytes = EXIT) -> Play:
    """Send these, read nothing for so many seconds, and go on."""

    def play(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
        time.sleep(seconds)
        connection.sendall(then)

    return play


def caller(project: Project, *words: str, terminals: str = "2", stdin: int = subprocess.DEVNULL) -> Caller:
    return Caller(words or ("echo", "x"), str(project.local), project.environment, terminals, stdin)


@each_client
def test_it_is_told_on_a_terminal_and_so_is_its_end(project: Project, client: str) -> None:
    seen = run(client, caller(project), wedged(UP))
    assert re.fullmatch(SILENT + AGAIN, seen.shown), seen
    assert (seen.status, seen.stdout) == (3, b"")


@each_client
def test_it_is_told_on_a_line_of_its_own(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"O", b"in the middle")))
    assert re.fullmatch(rb"in the middle\r\n" + SILENT + AGAIN, seen.shown), seen


@each_client
def test_it_is_not_told_on_the_alternate_screen(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"S", b"1"), frame(b"O", b"full")))
    assert seen.shown == b"full"
    seen = run(client, caller(project, terminals="012"), wedged(UP, frame(b"S", b"1"), frame(b"S", b"0")))
    assert re.fullmatch(SILENT + AGAIN, seen.shown), seen


@each_client
def test_it_is_not_told_where_stderr_is_no_terminal(project: Project, client: str) -> None:
    seen = run(client, caller(project, terminals=""), wedged(UP))
    assert (seen.status, seen.stdout, seen.stderr) == (3, b"", b"")


@each_client
def test_who_only_copies_files_is_not_asked(project: Project, client: str) -> None:
    seen = run(client, caller(project, "--sync-only"), wedged(UP))
    assert (seen.status, seen.shown) == (3, b"")
    assert PROBE not in seen.sent


def read_for(connection: socket.socket, seconds: float) -> bytes:
    """Read what comes for so long."""
    connection.settimeout(0.05)
    deadline, data = time.monotonic() + seconds, b""
    while time.monotonic() < deadline:
        with contextlib.suppress(TimeoutError):
            data += connection.recv(1 << 16)
    return data


@each_client
def test_a_master_that_reads_is_asked_now_and_then_and_nothing_is_told(project: Project, client: str) -> None:
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
def test_input_on_its_way_is_not_taken_for_input_that_is_held(project: Project, client: str) -> None:
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
def test_a_master_that_sends_is_not_asked(project: Project, client: str) -> None:
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
def test_a_client_that_was_stopped_does_not_count_the_time(project: Project, client: str) -> None:
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
def test_in_the_end_it_is_given_up(project: Project, client: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.native.clients.TIMEOUT", 60.0)
    seen: Seen = run(client, caller(project, terminals=""), wedged(UP, seconds=40, then=b""))
    assert (seen.status, seen.stderr) == (255, LOST)
