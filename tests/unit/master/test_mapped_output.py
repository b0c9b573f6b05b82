"""Tests for when held output is sent: as soon as it is decided, and after a pause at the latest."""

from __future__ import annotations

import math

import pytest
from pytest_mock import MockerFixture

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.drivers.target_stream import Sink
from rdo.master.mapped_output import LARGE_GRACE, LARGE_SIZE, PATH_GRACE, MappedOutput

ROOTS = {"/vagrant": "/home/me/\udcff"}
LOCAL = b"/home/me/\xff"


class ScriptedChannel:
    """A channel with output at given times, on its own clock. It can only be read."""

    def __init__(self, mocker: MockerFixture, *events: tuple[float, Chunk | None]) -> None:
        self.events = list(events)
        self.clock = 0.0
        mocker.patch("rdo.master.mapped_output.time.monotonic", self.now)

    def now(self) -> float:
        return self.clock

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        at = self.events[0][0] if self.events else math.inf
        if timeout is not None and at > self.clock + timeout:
            self.clock += timeout
            raise TimeoutError
        if not self.events:
            return None
        self.clock = max(self.clock, at)
        return self.events.pop(0)[1]


def shown(mocker: MockerFixture, *events: tuple[float, Chunk | None]) -> list[tuple[float, int, bytes]]:
    """What was sent, and when."""
    channel = ScriptedChannel(mocker, *events)
    sent: list[tuple[float, int, bytes]] = []
    output = MappedOutput(ROOTS, channel, lambda stream, data: sent.append((channel.clock, stream, data)))  # type: ignore[arg-type]
    while chunk := output.read():
        output.send(*chunk)
    output.release()
    return sent


def out(data: bytes) -> Chunk:
    return Chunk(STDOUT, data)


def test_a_path_in_two_pieces_is_found(mocker: MockerFixture) -> None:
    events = [(1.0, out(b"in /vag")), (1.0 + PATH_GRACE / 2, out(b"rant/x\n"))]
    assert shown(mocker, *events) == [(1.0, STDOUT, b"in "), (1.0 + PATH_GRACE / 2, STDOUT, LOCAL + b"/x\n")]


@pytest.mark.parametrize(("end", "becomes"), [(b"/", b"/"), (b"/vagrant", LOCAL)])
def test_a_possible_path_is_shown_after_a_pause(mocker: MockerFixture, end: bytes, becomes: bytes) -> None:
    events = [(1.0, out(b"in " + end)), (9.0, out(b"\n"))]
    assert shown(mocker, *events) == [(1.0, STDOUT, b"in "), (1.0 + PATH_GRACE, STDOUT, becomes), (9.0, STDOUT, b"\n")]


def test_data_split_by_the_transport_has_more_time(mocker: MockerFixture) -> None:
    start = b" " * LARGE_SIZE + b"/vag"
    rest = (1.0 + LARGE_GRACE / 2, out(b"rant/x"))
    assert shown(mocker, (1.0, out(start)), rest)[-1] == (rest[0], STDOUT, LOCAL + b"/x")
    assert shown(mocker, (1.0, out(start)), (9.0, out(b"x")))[1] == (1.0 + LARGE_GRACE, STDOUT, b"/vag")


def test_a_memoryview_is_read_like_bytes(mocker: MockerFixture) -> None:
    events = [(1.0, Chunk(STDOUT, memoryview(b"/vagrant\n"))), (1.0, Chunk(STDOUT, memoryview(b"\0/vagrant\n")))]
    assert shown(mocker, *events) == [(1.0, STDOUT, LOCAL + b"\n"), (1.0, STDOUT, b"\0/vagrant\n")]


def test_each_stream_is_read_by_itself(mocker: MockerFixture) -> None:
    events = [(1.0, out(b"/vag")), (1.0, Chunk(STDERR, b"/vagrant/e\n")), (1.0, out(b"rant/o\n"))]
    assert shown(mocker, *events) == [(1.0, STDERR, LOCAL + b"/e\n"), (1.0, STDOUT, LOCAL + b"/o\n")]


def test_a_busy_stream_does_not_keep_the_other_one_waiting(mocker: MockerFixture) -> None:
    busy = [(1.0 + PATH_GRACE * number / 2, Chunk(STDERR, b"x")) for number in range(1, 9)]
    sent = shown(mocker, (1.0, out(b"/")), *busy)
    (at,) = [at for at, stream, _ in sent if stream == STDOUT]
    assert at <= 1.0 + 2 * PATH_GRACE


def test_at_the_end_everything_is_sent(mocker: MockerFixture) -> None:
    events = [(1.0, out(b"in /vagrant")), (1.0, Chunk(STDERR, b"/va")), (1.0, None)]
    assert shown(mocker, *events) == [(1.0, STDOUT, b"in "), (1.0, STDOUT, LOCAL), (1.0, STDERR, b"/va")]
