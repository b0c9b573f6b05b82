"""Tests for when the client checks that its master still reads, and how it reacts."""

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
    """A watch with a clock that the test sets, and the master's end of its connection."""

    def __init__(self, *, can_report: bool = True) -> None:
        self.client, self.master = socket.socketpair()
        self.master.setblocking(False)
        self.reported: list[str] = []
        self._can_report = can_report
        self.watch = MasterWatch(self.client, sockets.Outbox(self.client), self._report)
        self.now = time.monotonic()

    def _report(self, text: str) -> bool:
        self.reported += [text] if self._can_report else []
        return self._can_report

    def look(self, after: float, late: float = 0.0) -> float:
        self.now += after + late
        return self.watch.look(self.now, self.now - late)

    def read(self) -> bytes:
        """What the master received."""
        try:
            return self.master.recv(1 << 16)
        except BlockingIOError:
            return b""


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    with closing(made.client), closing(made.master):
        yield made


def test_a_silent_master_is_probed_at_each_check(watched: Watched) -> None:
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == PROBE
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == PROBE


def test_a_master_that_sends_is_not_probed(watched: Watched) -> None:
    watched.watch.hear()
    assert watched.look(INTERVAL) == INTERVAL
    assert watched.read() == b""


def test_a_wait_is_reported_once_and_so_is_its_end(watched: Watched) -> None:
    watched.look(INTERVAL)
    assert watched.look(INTERVAL) == SECOND_LOOK
    assert watched.reported == []
    assert watched.look(SECOND_LOOK) == INTERVAL
    watched.look(INTERVAL)
    assert watched.reported == ["no answer from the control master for 1 s"]
    assert watched.read() == PROBE
    watched.look(2.0)
    assert watched.reported[1:] == ["the control master answers again, after 3 s"]


def test_anything_received_ends_the_wait_at_once(watched: Watched) -> None:
    for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
        watched.look(wait)
    watched.watch.hear()
    assert [line.partition(",")[0] for line in watched.reported[1:]] == ["the control master answers again"]
    watched.look(INTERVAL)
    assert len(watched.reported) == 2


def test_the_end_of_an_unreported_wait_is_not_reported() -> None:
    watched = Watched(can_report=False)
    with closing(watched.client), closing(watched.master):
        for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
            watched.look(wait)
        watched.watch.hear()
        assert watched.reported == []


@pytest.mark.parametrize(("signalled", "limit"), [(False, LOST_AFTER), (True, SIGNALLED_LOST_AFTER)])
def test_a_master_that_does_not_read_for_long_is_given_up(watched: Watched, signalled: bool, limit: float) -> None:
    watched.look(INTERVAL)
    watched.watch.is_signalled = signalled
    watched.look(INTERVAL)
    watched.look(limit - INTERVAL - 0.1)
    assert len(watched.reported) == 1
    watched.look(0.2)
    assert watched.watch.is_wedged
    assert watched.client.recv(1) == b""


def test_data_from_before_a_signal_gives_a_master_no_more_time(watched: Watched) -> None:
    watched.watch.hear()
    watched.watch.is_signalled = True
    watched.client.send(b"a signal")
    for wait in (INTERVAL, INTERVAL, SECOND_LOOK):
        watched.look(wait)
    assert not watched.watch.is_wedged
    watched.look(SIGNALLED_LOST_AFTER)
    assert watched.watch.is_wedged


def test_time_in_which_the_client_did_not_run_is_not_counted(watched: Watched) -> None:
    watched.look(INTERVAL)
    watched.look(INTERVAL)
    watched.look(SECOND_LOOK, late=LOST_AFTER)
    watched.look(INTERVAL)
    watched.look(SECOND_LOOK, late=LATE_LIMIT - 0.1)
    assert not watched.watch.is_wedged
    assert watched.reported == ["no answer from the control master for 2 s"]


def test_the_watch_ends_with_the_command(watched: Watched) -> None:
    watched.watch.run(lambda: True)
    assert watched.read() == b""
