"""What is due when a peer is silent: by clocks that are set by hand."""

from __future__ import annotations

import pytest

from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, LATE_LIMIT, Silence, Step
from rdo.util.clock import Instant

TIMES = KEEPALIVE_TIMEOUTS
START = 1000.0


class Peer:
    """One who is watched, and the clocks."""

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
        """Have a command run."""
        self.silence.begin_command(self.now)
        return self

    def look(self) -> Step:
        return self.silence.look(self.now, self.heard)

    def ask(self) -> bool:
        return self.silence.ask(self.now, self.heard)

    @property
    def patience(self) -> float:
        return self.silence.patience(self.now, self.heard)

    @property
    def is_overdue(self) -> bool:
        return self.silence.is_overdue(self.now, self.heard)

    def pass_by(self, seconds: float, *, answers: bool = False) -> list[tuple[float, Step]]:
        """Look as often as is asked for; what was due, and after how many seconds."""
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


def test_a_peer_that_nobody_uses_is_left_alone() -> None:
    assert Peer().look() == Step(None)


def test_a_peer_in_use_is_asked_every_two_seconds_of_silence() -> None:
    assert times(Peer().run().pass_by(10, answers=True), "ask") == [2, 4, 6, 8, 10]


def test_what_is_heard_spares_the_question() -> None:
    peer = Peer().run()
    peer.wait(1.5)
    peer.answer()
    assert times(peer.pass_by(3, answers=True), "ask") == [2]


def test_the_questions_go_on_for_a_minute_after_the_last_command_and_then_end() -> None:
    peer = Peer().run()
    peer.silence.end_command(peer.now)
    assert times(peer.pass_by(1000, answers=True), "ask") == list(range(2, 60, 2))
    assert peer.look() == Step(None)


def test_a_command_after_a_rest_begins_the_questions_again() -> None:
    peer = Peer()
    assert peer.silence.begin_command(peer.now)
    peer.silence.end_command(peer.now)
    peer.wait(TIMES.active_for - 1)
    assert not peer.silence.begin_command(peer.now)


def test_whoever_wants_questions_at_rest_gets_them() -> None:
    assert times(Peer(idle_interval=30).pass_by(100, answers=True), "ask") == [30, 60, 90]


def test_silence_under_a_command_is_reported_once_and_fatal_in_the_end() -> None:
    found = Peer().run().pass_by(60)
    assert times(found, "silent_for") == [TIMES.report_after]
    assert times(found, "is_dead") == [TIMES.dead_after]
    assert times(found, "ask") == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]


def test_an_answer_is_reported_after_silence_was_and_the_next_silence_again() -> None:
    peer = Peer().run()
    peer.pass_by(8)
    peer.answer()
    found = peer.pass_by(7)
    assert [step.answers_after for _, step in found if step.answers_after] == [pytest.approx(8, abs=0.1)]
    assert times(found, "silent_for") == [TIMES.report_after]


def test_silence_that_no_command_suffers_from_is_not_reported_and_is_fatal_later() -> None:
    peer = Peer().run()
    peer.silence.end_command(peer.now)
    found = peer.pass_by(100)
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


def test_many_who_ask_share_one_question_and_its_time() -> None:
    peer = Peer()
    peer.wait(100)
    assert peer.patience == TIMES.ping_timeout
    assert peer.ask()
    peer.wait(1)
    assert not peer.ask()
    assert (peer.patience, peer.is_overdue) == (TIMES.ping_timeout - 1, False)
    peer.wait(2)
    assert (peer.patience, peer.is_overdue) == (0, True)
    assert peer.ask()


def test_an_answer_makes_up_for_one_that_was_overdue() -> None:
    peer = Peer()
    peer.wait(100)
    peer.ask()
    peer.wait(10)
    assert peer.is_overdue
    peer.answer()
    assert (peer.is_overdue, peer.patience) == (False, TIMES.ping_timeout)
    peer.wait(10)
    assert peer.ask()
    assert not peer.is_overdue


def test_a_question_from_before_a_suspend_is_asked_again() -> None:
    peer = Peer()
    peer.wait(100)
    peer.ask()
    peer.suspend(100)
    assert (peer.patience, peer.is_overdue) == (TIMES.ping_timeout, False)
    assert peer.ask()
    peer.wait(1)
    assert peer.patience == TIMES.ping_timeout - 1


def test_a_question_at_rest_is_followed_to_its_end() -> None:
    peer = Peer()
    peer.wait(100)
    peer.silence.begin_watch(peer.now)
    peer.ask()
    found = peer.pass_by(60)
    assert (times(found, "ask"), times(found, "is_dead")) == ([], [TIMES.idle_dead_after])


@pytest.mark.parametrize("pause", [Peer.suspend, Peer.wait], ids=["suspended", "stopped"])
def test_a_command_that_slept_with_the_machine_is_given_its_time_again(pause: object) -> None:
    peer = Peer().run()
    peer.pass_by(10)
    assert callable(pause)
    pause(peer, 3600)
    found = peer.pass_by(60)
    assert times(found, "ask")[0] == 0
    assert times(found, "is_dead") == [TIMES.dead_after]


def test_a_look_that_is_a_little_late_changes_nothing() -> None:
    peer = Peer().run()
    peer.pass_by(10)
    peer.wait(LATE_LIMIT / 2)
    assert times(peer.pass_by(60), "is_dead") == [TIMES.dead_after - 10 - LATE_LIMIT / 2]


def test_how_long_it_has_been_silent_counts_from_the_start_of_the_watch() -> None:
    peer = Peer()
    peer.wait(50)
    peer.silence.begin_watch(peer.now)
    peer.wait(7)
    assert peer.silence.silent_for(peer.now, peer.heard) == 7


def test_a_dead_peer_was_asked_and_had_time_to_answer() -> None:
    """As where somebody else's look came late."""
    peer = Peer().run()
    peer.wait(LATE_LIMIT)
    peer.silence.begin_watch(peer.now)
    peer.wait(1)
    peer.look()
    assert not peer.silence._is_dead(peer.now, TIMES.dead_after)
