"""Tests for a master that violates the protocol: both clients react in the same way, and neither crashes."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Sequence

import pytest

from rdo.ipc import protocol
from rdo.ipc.protocol import frame
from tests.e2e.project import Project
from tests.native.clients import NATIVE, Caller, Play, Seen, both, run
from tests.soak import tries

ACCEPTED, STARTED, PTYLESS = frame(protocol.ACCEPTED), frame(protocol.STARTED), frame(protocol.STARTED, b"T")
UP = ACCEPTED + STARTED
DONE = UP + frame(protocol.FINISHED)
EXIT = frame(protocol.EXIT, b"\3")
TOO_LONG = 2**32 - 1


def plays(*pieces: bytes, pause: float = 0) -> Play:
    """Send these frames, and close the connection."""

    def play(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause)

    return play


def caller(project: Project, **more: object) -> Caller:
    return Caller(["echo", "x"], str(project.local), project.environment, **more)  # type: ignore[arg-type]


def alike(seen: tuple[Seen, Seen]) -> Seen:
    """The behaviour of both clients, which has to be the same."""
    python, native = seen
    assert native.program == "" or native.program.endswith(NATIVE[0])
    for name in ("status", "stdout", "stderr", "shown"):
        assert getattr(native, name) == getattr(python, name), name
    return native


ANSWERS: dict[str, Sequence[bytes]] = {
    "a status": [UP + EXIT],
    "output": [UP + frame(b"O", b"out") + frame(b"D", b"err") + frame(b"O", b"\xff\0") + EXIT],
    "empty output": [UP + frame(b"O") + frame(b"D") + frame(b"O", b"x") + EXIT],
    "screens": [UP + frame(b"S") + frame(b"S", b"1") + frame(b"S", b"11") + frame(b"N", b"one") + EXIT],
    "a screen too soon": [ACCEPTED + frame(b"S", b"1")],
    "notices": [ACCEPTED + frame(b"N", b"one") + STARTED + frame(b"N", b"two \x1b[m \xff") + EXIT],
    "the end of output": [UP + frame(b"O", b"a") + frame(b"E") + frame(b"D", b"b") + EXIT],
    "a failure": [frame(b"F", b"what `x`\0why\0hint\0")],
    "a failure after it was accepted": [ACCEPTED + frame(b"F", b"what\0\0hint")],
    "a failure of one part": [ACCEPTED + frame(b"F", b"what")],
    "an empty failure": [ACCEPTED + frame(b"F")],
    "a failure of many parts": [UP + frame(b"F", b"a\0b\0c\0unreachable\0e\0f")],
    "no connection": [ACCEPTED + frame(b"F", b"a\0b\0c\0unreachable")],
    "a failure with controls": [ACCEPTED + frame(b"F", b"a\x1b[2J\0b  c\0\xc3\xa9\xff\xe2\x80\xae")],
    "a huge failure": [ACCEPTED + frame(b"F", b"x" * 5000 + b"\0" + b"y" * 100_000)],
    "an end once accepted": [ACCEPTED],
    "an end once started": [UP],
    "an end within output": [UP + protocol.header(b"O", 100) + b"some"],
    "an end within a frame": [UP + protocol.header(b"N", 100) + b"some"],
    "an end within a header": [UP + b"O\0"],
    "no status": [UP + frame(b"X")],
    "a long status": [UP + frame(b"X", b"\0\0")],
    "a status of 130": [UP + frame(b"X", b"\x82")],
    "a status of 255": [UP + frame(b"X", b"\xff")],
    "a plain program that was not found": [UP + frame(b"X", b"\x7f")],
    "started twice": [UP + STARTED],
    "accepted twice": [ACCEPTED + ACCEPTED],
    "output too soon": [ACCEPTED + frame(b"O", b"x")],
    "empty output too soon": [ACCEPTED + frame(b"O") + STARTED + EXIT],
    "a prompt too late": [UP + frame(b"P", b"1x")],
    "progress too late": [UP + frame(b"G", b"x")],
    "a status without a command": [ACCEPTED + EXIT],
    "work after the command": [DONE + frame(b"N", b"one") + frame(b"G", b"two") + EXIT],
    "a failure after the command": [DONE + frame(b"F", b"a\0b\0c\0unreachable")],
    "an end after the command": [DONE],
    "output after the command": [DONE + frame(b"O", b"x")],
    "finished twice": [DONE + frame(b"H")],
    "finished too soon": [ACCEPTED + frame(b"H")],
    "input": [UP + frame(b"I", b"x")],
    "a report": [ACCEPTED + frame(b"J", b"{}")],
    "quotes": [ACCEPTED + frame(b"'")],
    "a backslash": [ACCEPTED + frame(b"\\")],
    "a newline": [ACCEPTED + frame(b"\n")],
    "a NUL": [ACCEPTED + frame(b"\0")],
    "what is not ASCII": [ACCEPTED + frame(b"\xff")],
    "a frame of 4 GiB": [UP, protocol.header(b"N", TOO_LONG)],
    "output of 4 GiB": [UP, protocol.header(b"O", TOO_LONG)],
    "one byte too long": [UP, protocol.header(b"O", protocol.PAYLOAD_LIMIT + 1)],
    "just not too long": [UP + frame(b"N", b"x" * protocol.PAYLOAD_LIMIT) + EXIT],
    "a bad kind that is too long": [ACCEPTED, protocol.header(b"?", 2**31)],
    "progress": [ACCEPTED + frame(b"G", b"x" * 300) + STARTED + EXIT],
    "too short a credit": [UP + frame(b"C", b"\0") + EXIT],
    "a prompt without a terminal": [
        ACCEPTED + frame(b"P", b"1who? ") + frame(b"P", b"w") + frame(b"P") + UP[5:] + EXIT
    ],
}


@pytest.mark.parametrize("pieces", ANSWERS.values(), ids=ANSWERS)
def test_both_clients_handle_each_answer_alike(project: Project, pieces: Sequence[bytes]) -> None:
    alike(both(caller(project, more={"start_new_session": True}), plays(*pieces)))


@pytest.mark.parametrize("name", ["no status", "one byte too long", "started twice"])
def test_a_protocol_violation_is_named_with_what_to_type(project: Project, name: str) -> None:
    seen = alike(both(caller(project), plays(*ANSWERS[name])))
    begin, end = b"rdo: the control master violated the protocol: ", b"; `rdoctl stop --all`\n"
    assert seen.status == 255
    assert seen.stderr.startswith(begin), seen.stderr
    assert seen.stderr.endswith(end)


@pytest.mark.parametrize("pieces", [ANSWERS["output"], ANSWERS["notices"], ANSWERS["a failure"]])
def test_a_byte_at_a_time_makes_no_difference(project: Project, pieces: Sequence[bytes]) -> None:
    (whole,) = pieces
    play = plays(*(whole[i : i + 1] for i in range(len(whole))), pause=0.001)
    assert alike(both(caller(project), play)).stdout == run("native", caller(project), plays(whole)).stdout


def test_an_end_anywhere_is_reported_alike(project: Project) -> None:
    whole = ACCEPTED + frame(b"N", b"n") + STARTED + frame(b"O", b"abc") + frame(b"C", b"\0\0\0\1") + EXIT
    for size in range(len(ACCEPTED), len(whole), tries(3, 1)):
        alike(both(caller(project), plays(whole[:size])))


@pytest.mark.parametrize("terminals", ["012", "12", "2"])
def test_on_a_terminal_the_same_is_shown(project: Project, terminals: str) -> None:
    for pieces in (
        ANSWERS["notices"],
        ANSWERS["progress"],
        ANSWERS["empty output"],
        ANSWERS["screens"],
        [ACCEPTED + frame(b"G", b"\xff\xe2\x82 \xf0\x9f\x98\x80" * 30) + frame(b"G", b"") + STARTED + EXIT],
        [ACCEPTED + PTYLESS + frame(b"N", b"x") + frame(b"O", b"a\n") + EXIT],
        [ACCEPTED + frame(b"P", b"w") + STARTED + frame(b"D", b"a\n") + EXIT],
        [ACCEPTED + frame(b"F", b"a\0b\0c")],
        [UP + frame(b"X", b"\x7f")],
    ):
        alike(both(caller(project, terminals=terminals), plays(*pieces)))


@pytest.mark.parametrize(
    "words", [["ls -l"], ["cd", "x"], ["A=1", "x"], ["status"], ["help"], ["plain"], ["-c", "cd"], []]
)
@pytest.mark.parametrize("terminals", ["", "2"])
def test_a_command_that_was_not_found_gets_the_same_hint(project: Project, words: list[str], terminals: str) -> None:
    who = Caller(words, str(project.local), project.environment, terminals)
    alike(both(who, plays(UP + frame(b"X", b"\x7f"))))


def test_random_frames_crash_no_client(project: Project) -> None:
    chosen = random.Random(11)
    for number in range(tries(30, 3000)):
        kinds = chosen.choices(b"NODCESTXFGPBKZJI?\0", k=chosen.randrange(6))
        frames = b"".join(frame(bytes([kind]), chosen.randbytes(chosen.randrange(6))) for kind in kinds)
        start = (b"", ACCEPTED, UP)[number % 3]
        if start == b"" and kinds[:1] != list(b"F"):
            start = ACCEPTED  # if it ends earlier, another master is started
        play = plays(start + frames, chosen.randbytes(number % 7), pause=0.05)
        python, native = both(caller(project, more={"start_new_session": True}), play)
        assert native.status == python.status, (start, frames)
        if b"Traceback" not in python.stderr:
            assert native.stderr == python.stderr, (start, frames)
