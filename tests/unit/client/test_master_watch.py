"""When the client looks whether its master still reads, and what it makes of that."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from rdo.client.master_watch import (
    INTERVAL,
    LATE_LIMIT,
    LOST_AFTER,
    SECOND_LOOK,
    SIGNALLED_LOST_AFTER,
    MasterWatch,
)
from rdo.ipc import protocol, sockets

PROBE = protocol.frame(protocol.PROBE)


class Watched:
    """A watch whose clock is the test's, and the master's end of its connection."""

    def __init__(self, *, can_tell: bool = True) -> None:
        self.client, self.master = socket.socketpair()
        self.master.setblocking(False)
        self.told: list[str] = []
        self._can_tell = can_tell
        self.watch = MasterWatch(self.client, sockets.Outbox(self.client), self._tell)
        self.now = time.monotonic()

    def _tell(self, text: str) -> bool:
        self.told += [text] if self._can_tell else []
        return self._can_tell

    def look(self, after: float, late: float = 0.0) -> float:
        self.now += after + late
        return self.watch.look(self.now, self.now - late)

    def read(self) -> bytes:
        """What the master reads."""
        try:
            return self.master.recv(1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    with closing(made.client), closing(made.master):
        yield made


def test_a_master_that_is_silent_is_asked_at_each_look(watched: Watched) -> None:
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == PROBE
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == PROBE


def test_one_that_sends_is_not(watched: Watched) -> None:
    watched.watch.hear()
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == b""


def test_what_is_held_twice_is_told_once_and_the_end_of_that(watched: Watched) -> None:
    watched.look(INTERVAL)
    assert watched.look(INTERVAL) == SECOND_LOOK
    assert watched.told == []
    assert watched.look(SECOND_LOOK) == INTERVAL
    watched.look(INTERVAL)
    assert watched.told == ["no answer from the control master for 1 s"]
    assert watched.read() == PROBE
    watched.look(2.0)
    assert watched.told[1:] == ["the control master answers again, after 3 s"]


def test_what_comes_ends_it_at_once(watched: Watched) -> None:
    for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
        watched.look(wait)
    watched.watch.hear()
    assert [line.partition(",")[0] for line in watched.told[1:]] == ["the control master answers again"]
    watched.look(INTERVAL)
    assert len(watched.told) == 2


def test_what_could_not_be_told_has_no_end_to_be_told() -> None:
    watched = Watched(can_tell=False)
    with closing(watched.client), closing(watched.master):
        for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
            watched.look(wait)
        watched.watch.hear()
        assert watched.told == []


@pytest.mark.parametrize(("signalled", "limit"), [(False, LOST_AFTER), (True, SIGNALLED_LOST_AFTER)])
def test_a_master_that_reads_nothing_for_long_is_given_up(watched: Watched, signalled: bool, limit: float) -> None:
    watched.look(INTERVAL)
    watched.watch.is_signalled = signalled
    watched.look(INTERVAL)
    watched.look(limit - INTERVAL - 0.1)
    assert len(watched.told) == 1
    watched.look(0.2)
    assert watched.watch.is_wedged
    assert watched.client.recv(1) == b""


def test_what_came_before_a_signal_gives_a_master_no_more_time(watched: Watched) -> None:
    watched.watch.hear()
    watched.watch.is_signalled = True
    watched.client.send(b"a signal")
    for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
        watched.look(wait)
    assert not watched.watch.is_wedged
    watched.look(SIGNALLED_LOST_AFTER)
    assert watched.watch.is_wedged


def test_what_a_client_did_not_see_does_not_count(watched: Watched) -> None:
    watched.look(INTERVAL)
    watched.look(INTERVAL)
    watched.look(SECOND_LOOK, late=LOST_AFTER)
    watched.look(INTERVAL)
    watched.look(SECOND_LOOK, late=LATE_LIMIT - 0.1)
    assert not watched.watch.is_wedged
    assert watched.told == ["no answer from the control master for 2 s"]


def test_it_ends_with_the_command(watched: Watched) -> None:
    watched.watch.run(lambda: True)
    assert watched.read() == b""
