"""Tests for input: it reaches the channel complete and in order, and all of it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

import pytest

from rdo.drivers.base import Channel
from rdo.errors import LinkLost
from rdo.master.stdin_pump import ACKNOWLEDGE, StdinPump
from tests.leaks import wait_until

STEP = 1024

TIMEOUT = 10.0
"""Seconds for something that should happen at once."""


def broken(error: BaseException) -> None:
    raise error


class Program:
    """A channel to a program with room for this many bytes, which waits for `reads` if there is no room."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.reads = threading.Event()
        self.got = bytearray()
        self.ended = threading.Event()
        self.lost = False

    def try_write(self, data: bytes | memoryview) -> bool:
        if self.lost:
            raise LinkLost("the connection is lost")
        if len(data) > self.room:
            return False
        self.room -= len(data)
        self.got += data
        return True

    def write(self, data: bytes | memoryview) -> None:
        self.reads.wait()
        self.got += data

    def end_input(self) -> None:
        self.ended.set()


Made = tuple[StdinPump, Program, list[int]]
Make = Callable[..., Made]


@pytest.fixture
def make() -> Make:
    """A function that creates an input, its program, and the list of acknowledgements."""

    def made(room: int, held: bool = False) -> Made:
        program = Program(room)
        taken: list[int] = []
        return StdinPump(cast(Channel, program), taken.append, broken, held=held), program, taken

    return made


def numbered(count: int) -> list[bytes]:
    """Distinguishable pieces."""
    return [b"%8d" % number * (STEP // 8) for number in range(count)]


def test_data_that_fits_is_written_by_the_thread_that_received_it(make: Make) -> None:
    stream, program, _ = make(room=STEP)
    stream.give(numbered(1)[0])
    stream.end()
    assert bytes(program.got) == numbered(1)[0]
    assert program.ended.is_set()


def test_no_data_overtakes_what_a_slow_program_has_yet_to_read(make: Make) -> None:
    stream, program, _ = make(room=10 * STEP)
    for number, piece in enumerate(numbered(60)):
        if number == 20:
            program.room = 10 * STEP  # there is room again, but earlier pieces are waiting
        if number == 40:
            program.reads.set()
        stream.give(piece)
    stream.end()
    assert program.ended.wait(TIMEOUT)
    assert bytes(program.got) == b"".join(numbered(60))


@pytest.mark.parametrize("room", [0, 8 * ACKNOWLEDGE])
def test_everything_written_is_acknowledged_except_the_last_part(room: int, make: Make) -> None:
    stream, program, taken = make(room)
    program.reads.set()
    for _ in range(8):
        stream.give(bytes(ACKNOWLEDGE // 2))
    assert wait_until(lambda: sum(taken) > 3 * ACKNOWLEDGE, TIMEOUT)
    stream.close()


def test_input_waits_while_it_is_held_although_there_is_room(make: Make) -> None:
    stream, program, _ = make(room=STEP, held=True)
    stream.give(b"early")
    assert not program.got
    program.reads.set()
    stream.resume()
    stream.end()
    assert program.ended.wait(TIMEOUT)
    assert bytes(program.got) == b"early"


def test_a_lost_link_is_reported_elsewhere(make: Make) -> None:
    stream, program, _ = make(room=STEP)
    program.lost = True
    stream.give(b"data")
    stream.close()


def test_diverted_input_does_not_reach_the_channel_but_is_acknowledged(make: Make) -> None:
    stdin, program, acknowledged = make(room=10 * ACKNOWLEDGE)
    program.reads.set()  # the thread that acknowledges may be processing the next piece
    stdin.divert = lambda data: data.replace(b"y", b"")
    stdin.give(b"xyz")
    stdin.give(b"y" * ACKNOWLEDGE)
    stdin.give(b"end")
    stdin.end()
    assert program.ended.wait(TIMEOUT)
    assert bytes(program.got) == b"xzend"
    assert wait_until(lambda: sum(acknowledged) >= ACKNOWLEDGE, TIMEOUT)
    stdin.close()
