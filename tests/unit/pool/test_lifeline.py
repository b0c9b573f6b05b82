"""Tests for what the owner of a lifeline can rely on while it opens, and after its end. Its effect is tested with real
shells.
"""

from __future__ import annotations

import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from rdo.drivers.base import STDOUT, Channel, ChannelRefused, Chunk
from rdo.pool.lifeline import ANSWER_TIMEOUT, Lifeline
from rdo.pool.shell import ProcessGroup, Shell, is_group
from rdo.remote_sh.render import LIFELINE

TIMEOUT = 20.0

A, B = ProcessGroup(11, 11), ProcessGroup(13, 12)


class FakeChannel:
    """The channel of a shell that records what it reads, until it is ended."""

    def __init__(self) -> None:
        self.group = ProcessGroup(99, 99)
        self.lines: queue.Queue[str] = queue.Queue()
        self.written: list[bytes] = []
        self.over = threading.Event()
        self.answers: queue.Queue[Chunk | Exception | None] = queue.Queue()

    @property
    def ended(self) -> bool:
        return self.over.is_set()

    def write(self, data: bytes) -> None:
        self.written.append(data)
        for line in data.decode().splitlines():
            self.lines.put(line)

    def read(self) -> Chunk | None:
        answer = self.answers.get(timeout=TIMEOUT)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def answer(self, *pieces: bytes) -> None:
        for piece in pieces or (b"0\n",):
            self.answers.put(Chunk(STDOUT, piece))

    def close(self) -> None:
        self.over.set()
        self.answers.put(None)

    def heard(self, count: int) -> list[str]:
        return [self.lines.get(timeout=TIMEOUT) for _ in range(count)]


class Opener:
    """Opens the given shells, when the test provides them."""

    def __init__(self, *shells: FakeChannel | None) -> None:
        self.asked = threading.Semaphore(0)
        self.shells: queue.Queue[FakeChannel | None] = queue.Queue()
        for each in shells:
            self.shells.put(each)

    def __call__(self) -> Shell:
        self.asked.release()
        wire = self.shells.get(timeout=TIMEOUT)
        if wire is None:
            raise ChannelRefused
        shell = Shell(cast(Channel, wire), "nonce", pty=False, plain=True)
        shell.group = wire.group
        return shell


def guarding(opener: Opener, *groups: ProcessGroup) -> Lifeline:
    """A lifeline that was started, and that guards these groups."""
    lifeline = Lifeline(opener)
    lifeline.start()
    lifeline.guard(groups)
    return lifeline


def test_only_orders_wait_while_it_opens() -> None:
    opener, wire = Opener(), FakeChannel()
    lifeline = Lifeline(opener)
    lifeline.start()
    assert lifeline.signal(A, "INT")
    lifeline.know(B)
    opener.shells.put(wire)
    assert wire.heard(3) == [LIFELINE, "kill 11 INT 11", "know 13 12"]
    lifeline.close()


def test_a_group_that_replaces_others_needs_no_order_of_its_own() -> None:
    wire = FakeChannel()
    lifeline = guarding(Opener(wire), A)
    assert wire.heard(2) == [LIFELINE, "add 11 11"]
    lifeline.guard([B], instead_of=[A])
    assert wire.heard(2) == ["drop 11", "add 13 12"]
    assert wire.written[-1] == b"drop 11\nadd 13 12\n"
    lifeline.close()


def test_a_killed_lifeline_is_replaced_for_the_next_order() -> None:
    first, second = FakeChannel(), FakeChannel()
    opener = Opener(first)
    lifeline = guarding(opener, A, B)
    assert sorted(first.heard(3)[1:]) == ["add 11 11", "add 13 12"]
    lifeline.leave([B])
    assert first.heard(1) == ["drop 13"]
    first.close()
    assert lifeline.signal(A, "TERM")
    opener.shells.put(second)
    assert second.heard(3) == [LIFELINE, "add 11 11", "kill 11 TERM 11"]
    lifeline.close()
    assert second.ended


def test_a_lifeline_with_invalid_answers_is_closed_and_replaced(capfd: pytest.CaptureFixture[str]) -> None:
    first, second = FakeChannel(), FakeChannel()
    lifeline = guarding(Opener(first, second), A)
    first.answers.put(ValueError("planted"))
    assert first.over.wait(TIMEOUT)
    lifeline.know(B)
    assert second.heard(3) == [LIFELINE, "add 11 11", "know 13 12"]
    lifeline.close()
    assert "planted" in capfd.readouterr().err


def test_a_lifeline_that_does_not_answer_is_killed_by_its_replacement() -> None:
    first, second = FakeChannel(), FakeChannel()
    opener = Opener(first)
    lifeline = guarding(opener, A)
    assert first.heard(2) == [LIFELINE, "add 11 11"]
    assert all(lifeline.signal(A, name) for name in ("USR1", "HUP", "TERM"))
    first.answer()
    opener.shells.put(second)
    assert second.heard(5) == [LIFELINE, "kill 99 KILL 99", "add 11 11", "kill 11 HUP 11", "kill 11 TERM 11"]
    first.close()
    for _ in range(3):
        second.answer()
    assert lifeline.signal(A, "CONT")
    assert second.heard(1) == ["kill 11 CONT 11"]
    lifeline.close()


def test_its_answer_is_whether_a_group_is_left() -> None:
    wire = FakeChannel()
    lifeline = guarding(Opener(wire), A)
    wire.heard(2)
    with ThreadPoolExecutor() as threads:
        for pieces, is_left in (((b"0", b"\n"), True), ((b"1\n",), False), ((b"0\n",), True)):
            answer = threads.submit(lifeline.is_left, A)
            assert wire.heard(1) == ["kill 11 0 11"]
            wire.answer(*pieces)
            assert answer.result(TIMEOUT) is is_left
    lifeline.close()
    assert not lifeline.is_left(A)


def test_without_an_answer_a_group_may_be_left() -> None:
    lifeline = guarding(Opener(FakeChannel(), None), A)
    assert lifeline.is_left(A)
    lifeline.close()


def test_a_lifeline_that_answers_is_kept() -> None:
    wire = FakeChannel()
    opener = Opener(wire)
    lifeline = guarding(opener, A)
    assert lifeline.signal(A, "HUP")
    wire.answer()
    assert opener.asked.acquire(timeout=TIMEOUT)
    assert not opener.asked.acquire(timeout=ANSWER_TIMEOUT * 1.5)
    lifeline.close()


def test_without_a_replacement_it_is_asked_again_later() -> None:
    opener = Opener(FakeChannel(), None)
    lifeline = guarding(opener, A)
    assert lifeline.signal(A, "HUP")
    assert all(opener.asked.acquire(timeout=TIMEOUT) for _ in range(2))
    assert not opener.asked.acquire(timeout=ANSWER_TIMEOUT * 1.5)
    assert lifeline.signal(A, "TERM")
    assert opener.asked.acquire(timeout=TIMEOUT)
    opener.shells.put(None)
    lifeline.close()


def test_without_room_for_a_lifeline_nothing_is_signalled_and_nobody_waits() -> None:
    lifeline = guarding(Opener(None), A)
    assert not lifeline.signal(A, "INT")
    lifeline.retire()


def test_a_retired_lifeline_is_not_opened_again() -> None:
    wire = FakeChannel()
    opener = Opener(wire)
    lifeline = guarding(opener, A)
    lifeline.retire()
    wire.close()
    assert not lifeline.signal(A, "INT")
    assert opener.asked.acquire(timeout=TIMEOUT)
    assert not opener.asked.acquire(blocking=False)


def test_an_invalid_group_is_recognized() -> None:
    assert [text for text in ("2", "4194304") if is_group(text)] == ["2", "4194304"]
    wrong = ("0", "1", "-5", "", "05", "9" * 10, "9" * 5000, "x", "\u0663", "2;3")
    assert [text for text in wrong if is_group(text)] == []
