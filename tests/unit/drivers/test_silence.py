"""Tests for what is due while a peer is silent, with clocks that are set by hand."""

from __future__ import annotations

import pytest

from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, LATE_LIMIT, Silence, Step
from rdo.util.clock import Instant

TIMES = KEEPALIVE_TIMEOUTS
START = 1000.0


class Peer:
    """A peer that is watched, and the clocks."""

    def __init__(self, idle_interval: float | None = None) -> None:
        self.now = Instant(START, START / 2)
        self.heard = START
        self.silence = Silence(TIMES._replace(idle_interval=idle_interval))
        self.silence.begin_watch(self.now)

    def wait(self, seconds: float) -> None:
        self.now = Instant(self.now.elapsed + seconds, self.now.awake + seconds)

    def suspend(self, seconds: float) -> None:
        self.now = Instant(self.now.elapsed + seconds, self.now.awake)

    def answer(self) -> None:
        self.heard = self.now.elapsed

    def run(self) -> Peer:
        """Start a command."""
        self.silence.begin_command(self.now)
        return self

    def look(self) -> Step:
        return self.silence.look(self.now, self.heard)

    def ask(self) -> bool:
        return self.silence.ask(self.now, self.heard)

    @property
    def time_left(self) -> float:
        return self.silence.time_left(self.now, self.heard)

    @property
    def is_overdue(self) -> bool:
        return self.silence.is_overdue(self.now, self.heard)

    def advance(self, seconds: float, *, answers: bool = False) -> list[tuple[float, Step]]:
        """Check as often as requested. Returns what was due, and after how many seconds."""
        began, found = self.now.elapsed, []
        while True:
            step = self.look()
            if step._replace(wait=None) != Step(None):
                found.append((round(self.now.elapsed - began, 1), step._replace(wait=None)))
                if step.ask and answers:
                    self.answer()
                if step.is_dead:
                    return found
                continue
            if step.wait is None or self.now.elapsed + step.wait > began + seconds:
                return found
            self.wait(step.wait)


def times(found: list[tuple[float, Step]], kind: str) -> list[float]:
    return [at for at, step in found if getattr(step, kind) not in (None, False)]


def test_an_unused_peer_is_not_probed() -> None:
    assert Peer().look() == Step(None)


def test_a_peer_in_use_is_probed_every_two_seconds_of_silence() -> None:
    assert times(Peer().run().advance(10, answers=True), "ask") == [2, 4, 6, 8, 10]


def test_received_data_makes_a_probe_unnecessary() -> None:
    peer = Peer().run()
    peer.wait(1.5)
    peer.answer()
    assert times(peer.advance(3, answers=True), "ask") == [2]


def test_probes_continue_for_a_minute_after_the_last_command() -> None:
    peer = Peer().run()
    peer.silence.end_command(peer.now)
    assert times(peer.advance(1000, answers=True), "ask") == list(range(2, 60, 2))
    assert peer.look() == Step(None)


def test_a_command_after_a_pause_starts_the_probes_again() -> None:
    peer = Peer()
    assert peer.silence.begin_command(peer.now)
    peer.silence.end_command(peer.now)
    peer.wait(TIMES.active_for - 1)
    assert not peer.silence.begin_command(peer.now)


def test_an_idle_peer_is_probed_if_that_is_configured() -> None:
    assert times(Peer(idle_interval=30).advance(100, answers=True), "ask") == [30, 60, 90]


def test_silence_under_a_command_is_reported_once_and_fatal_in_the_end() -> None:
    found = Peer().run().advance(60)
    assert times(found, "silent_for") == [TIMES.report_after]
    assert times(found, "is_dead") == [TIMES.dead_after]
    assert times(found, "ask") == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


def test_an_answer_is_reported_after_silence_was_and_the_next_silence_again() -> None:
    peer = Peer().run()
    peer.advance(8)
    peer.answer()
    found = peer.advance(7)
    assert [step.answers_after for _, step in found if step.answers_after] == [pytest.approx(8, abs=0.1)]
    assert times(found, "silent_for") == [TIMES.report_after]


def test_silence_without_a_command_is_not_reported_and_fatal_later() -> None:
    peer = Peer().run()
    peer.silence.end_command(peer.now)
    found = peer.advance(100)
    assert times(found, "silent_for") == []
    assert times(found, "is_dead") == [TIMES.idle_dead_after]


def test_a_peer_is_trusted_for_three_seconds() -> None:
    peer = Peer()
    peer.wait(2.9)
    assert peer.silence.is_trusted(peer.now, peer.heard)
    peer.wait(0.1)
    assert not peer.silence.is_trusted(peer.now, peer.heard)


def test_after_a_suspend_a_peer_is_not_trusted() -> None:
    peer = Peer()
    peer.suspend(3600)
    assert not peer.silence.is_trusted(peer.now, peer.heard)


def test_many_callers_share_one_probe_and_its_timeout() -> None:
    peer = Peer()
    peer.wait(100)
    assert peer.time_left == TIMES.ping_timeout
    assert peer.ask()
    peer.wait(1)
    assert not peer.ask()
    assert (peer.time_left, peer.is_overdue) == (TIMES.ping_timeout - 1, False)
    peer.wait(2)
    assert (peer.time_left, peer.is_overdue) == (0, True)
    assert peer.ask()


def test_an_answer_clears_an_overdue_one() -> None:
    peer = Peer()
    peer.wait(100)
    peer.ask()
    peer.wait(10)
    assert peer.is_overdue
    peer.answer()
    assert (peer.is_overdue, peer.time_left) == (False, TIMES.ping_timeout)
    peer.wait(10)
    assert peer.ask()
    assert not peer.is_overdue


def test_a_probe_from_before_a_suspend_is_sent_again() -> None:
    peer = Peer()
    peer.wait(100)
    peer.ask()
    peer.suspend(100)
    assert (peer.time_left, peer.is_overdue) == (TIMES.ping_timeout, False)
    assert peer.ask()
    peer.wait(1)
    assert peer.time_left == TIMES.ping_timeout - 1


def test_a_probe_of_an_idle_peer_is_waited_for() -> None:
    peer = Peer()
    peer.wait(100)
    peer.silence.begin_watch(peer.now)
    peer.ask()
    found = peer.advance(60)
    assert (times(found, "ask"), times(found, "is_dead")) == ([], [TIMES.idle_dead_after])


@pytest.mark.parametrize("pause", [Peer.suspend, Peer.wait], ids=["suspended", "stopped"])
def test_a_command_during_a_suspend_gets_its_full_time_again(pause: object) -> None:
    peer = Peer().run()
    peer.advance(10)
    assert callable(pause)
    pause(peer, 3600)
    found = peer.advance(60)
    assert times(found, "ask")[0] == 0
    assert times(found, "is_dead") == [TIMES.dead_after]


def test_a_slightly_late_check_changes_nothing() -> None:
    peer = Peer().run()
    peer.advance(10)
    peer.wait(LATE_LIMIT / 2)
    assert times(peer.advance(60), "is_dead") == [TIMES.dead_after - 10 - LATE_LIMIT / 2]


def test_silence_is_measured_from_the_start_of_the_watch() -> None:
    peer = Peer()
    peer.wait(50)
    peer.silence.begin_watch(peer.now)
    peer.wait(7)
    assert peer.silence.silent_for(peer.now, peer.heard) == 7


def test_a_dead_peer_was_probed_and_had_time_to_answer() -> None:
    """Even if a check was late, as on a busy machine."""
    peer = Peer().run()
    peer.wait(LATE_LIMIT)
    peer.silence.begin_watch(peer.now)
    peer.wait(1)
    peer.look()
    assert not peer.silence._is_dead(peer.now, TIMES.dead_after)
