"""Tests for probing, watching and giving up a connection, with real threads and short times."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from rdo.drivers.keepalive import Keepalive, SignOfLife
from rdo.drivers.silence import KeepaliveTimeouts
from rdo.util import clock
from rdo.util.clock import Instant
from tests.leaks import wait_until

TIMEOUT = 20.0
"""Seconds for something that takes no time."""

HASTY = KeepaliveTimeouts(
    liveness=0.1, ping_timeout=0.1, ping_interval=0.05, active_for=0.3, report_after=0.2, dead_after=0.4
)
PATIENT = HASTY._replace(ping_timeout=TIMEOUT)


class Clocks:
    """The real clocks, but a suspend of the machine can be simulated."""

    def __init__(self) -> None:
        self.slept = 0.0

    def elapsed(self) -> float:
        return clock.elapsed() + self.slept

    def now(self) -> Instant:
        return Instant(self.elapsed(), clock.now().awake)


class Peer:
    """A peer that replies at once, or not at all."""

    def __init__(self, timeouts: KeepaliveTimeouts) -> None:
        self.clocks = Clocks()
        self.sign = SignOfLife(self.clocks.elapsed)
        self.answers = True
        self.questions = 0
        self.fault: Exception | None = None
        self.end: list[str] = []
        self.keepalive = Keepalive(self.sign, self.ask, self.end.append, timeouts, self.clocks.now)

    def ask(self) -> None:
        self.questions += 1
        if self.fault is not None:
            raise self.fault
        if self.answers:
            self.sign.note()

    def fall_silent(self, seconds: float = 3600.0) -> None:
        """Simulate a suspend of the machine, in which the peer has gone."""
        self.answers = False
        self.clocks.slept += seconds


class Observer:
    """An observer that records its notifications."""

    def __init__(self) -> None:
        self.silence: list[float] = []
        self.answers: list[float] = []

    def falls_silent(self, seconds: float) -> None:
        self.silence.append(seconds)

    def answers_again(self, seconds: float) -> None:
        self.answers.append(seconds)


@pytest.fixture
def make() -> Iterator[Callable[[KeepaliveTimeouts], Peer]]:
    made: list[Peer] = []

    def make(timeouts: KeepaliveTimeouts) -> Peer:
        made.append(Peer(timeouts))
        return made[-1]

    yield make
    for peer in made:
        peer.keepalive.stop()
        peer.keepalive.join(TIMEOUT)


Make = Callable[[KeepaliveTimeouts], Peer]


def test_a_peer_that_was_just_heard_from_is_not_asked(make: Make) -> None:
    peer = make(HASTY._replace(liveness=TIMEOUT))
    assert peer.keepalive.check_alive()
    assert peer.questions == 0


def test_after_a_suspend_the_peer_is_asked_first(make: Make) -> None:
    peer = make(HASTY._replace(liveness=TIMEOUT))
    peer.clocks.slept += 3600
    assert peer.keepalive.check_alive()
    assert peer.questions == 1


def test_a_peer_that_went_away_during_a_suspend_is_silent_but_not_ended(make: Make) -> None:
    peer = make(HASTY._replace(dead_after=TIMEOUT))
    peer.fall_silent()
    assert not peer.keepalive.check_alive()
    assert (peer.keepalive.is_silent, peer.keepalive.ended) == (True, False)


def test_a_silence_is_waited_out_once_only(make: Make) -> None:
    peer = make(HASTY._replace(dead_after=TIMEOUT))
    peer.fall_silent()
    assert not peer.keepalive.check_alive()
    began = clock.elapsed()
    assert not any(peer.keepalive.check_alive() for _ in range(5))
    assert clock.elapsed() - began < 5 * HASTY.ping_timeout


def test_all_waiters_notice_a_late_answer(make: Make) -> None:
    peer = make(PATIENT)
    peer.fall_silent()
    found: list[bool] = []
    waiting = [threading.Thread(target=lambda: found.append(peer.keepalive.check_alive())) for _ in range(3)]
    heard = threading.Event()
    peer.keepalive.when_heard(heard.set)
    for thread in waiting:
        thread.start()
    assert wait_until(lambda: peer.questions, TIMEOUT)
    peer.sign.note()
    for thread in waiting:
        thread.join(TIMEOUT)
    assert found == [True] * 3
    assert heard.is_set()
    assert not peer.keepalive.is_silent


def test_a_waiter_is_told_that_the_link_was_cut(make: Make) -> None:
    peer = make(PATIENT)
    peer.fall_silent()
    cut = threading.Timer(0.05, peer.sign.end)
    cut.start()
    assert not peer.keepalive.check_alive()
    assert (peer.keepalive.ended, peer.keepalive.is_silent, peer.keepalive.check_alive()) == (True, False, False)
    cut.join(TIMEOUT)


def test_a_while_after_the_last_command_probes_and_their_thread_end(make: Make) -> None:
    peer = make(HASTY)
    before = threading.active_count()
    with peer.keepalive.in_use():
        assert wait_until(lambda: peer.questions >= 2, TIMEOUT)
    assert wait_until(lambda: threading.active_count() == before, TIMEOUT)
    asked = peer.questions
    assert not wait_until(lambda: peer.questions > asked, 5 * HASTY.ping_interval)


def test_soon_after_a_command_the_peer_was_already_asked(make: Make) -> None:
    """The command has to wait for nobody."""
    peer = make(HASTY._replace(active_for=TIMEOUT, liveness=2.0))
    for _ in range(3):
        with peer.keepalive.in_use():
            pass
        asked = peer.questions
        assert wait_until(lambda: peer.questions > asked, TIMEOUT)  # noqa: B023
        asked = peer.questions
        assert peer.keepalive.check_alive()
        assert peer.questions <= asked + 1


def test_a_command_after_several_minutes_starts_the_watch_again(make: Make) -> None:
    peer = make(HASTY)
    for _ in range(2):
        with peer.keepalive.in_use():
            asked = peer.questions
            assert wait_until(lambda: peer.questions > asked, TIMEOUT)  # noqa: B023
        assert wait_until(lambda: peer.keepalive._thread is None, TIMEOUT)


def test_after_a_fault_in_the_watch_the_next_command_starts_it_again(
    make: Make, capfd: pytest.CaptureFixture[str]
) -> None:
    peer = make(HASTY._replace(dead_after=TIMEOUT))
    peer.sign.when_next(lambda: [][0])  # only that one is not notified
    told = threading.Event()
    peer.sign.when_next(told.set)
    peer.fault = ValueError("planted")
    with peer.keepalive.in_use():
        assert wait_until(lambda: peer.questions and peer.keepalive._thread is None, TIMEOUT)
        peer.fault = None
        asked = peer.questions
        with peer.keepalive.in_use():
            assert wait_until(lambda: peer.questions > asked, TIMEOUT)
    assert told.is_set()
    said = capfd.readouterr().err
    assert "ValueError: planted" in said
    assert "IndexError" in said


def test_silence_and_its_end_are_each_reported_once_to_running_commands(make: Make) -> None:
    peer, observer, left = make(HASTY._replace(dead_after=TIMEOUT)), Observer(), Observer()
    with peer.keepalive.observed(left):
        pass
    with peer.keepalive.in_use(), peer.keepalive.observed(observer):
        peer.answers = False
        assert wait_until(lambda: observer.silence, TIMEOUT)
        peer.sign.note()
        assert wait_until(lambda: observer.answers, TIMEOUT)
    assert len(observer.silence) == len(observer.answers) == 1
    assert observer.answers[0] >= observer.silence[0] >= HASTY.report_after
    assert left.silence == []


def test_a_peer_that_stays_silent_is_given_up_with_the_reason(make: Make) -> None:
    peer = make(HASTY)
    ended = threading.Event()
    peer.keepalive.when_heard(ended.set)
    with peer.keepalive.in_use():
        peer.answers = False
        assert wait_until(lambda: peer.end, TIMEOUT)
    assert peer.end == ["no answer for 0 s"]
    assert ended.is_set()
    assert peer.keepalive.ended


def test_an_idle_link_is_watched_if_that_is_configured(make: Make) -> None:
    peer = make(HASTY._replace(idle_interval=0.05))
    assert wait_until(lambda: peer.questions >= 3, TIMEOUT)


def test_a_closed_link_is_not_asked(make: Make) -> None:
    peer = make(HASTY)
    peer.keepalive.stop()
    with peer.keepalive.in_use():
        assert not peer.keepalive.check_alive()
    assert peer.questions == 0


def test_the_clocks_advance() -> None:
    first, second = clock.now(), clock.now()
    assert second.elapsed >= first.elapsed
    assert second.awake >= first.awake
