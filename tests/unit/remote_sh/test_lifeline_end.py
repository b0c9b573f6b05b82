"""Tests for what the lifeline does when the connection has ended, with each shell that may be /bin/sh."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.unit.remote_sh.lifeline import END_TIMEOUT, Lifeline, Start, all_gone
from tests.unit.remote_sh.shells import TIMEOUT, each_shell

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


@each_shell
def test_at_its_end_what_is_listed_is_terminated_and_what_was_dropped_is_left_alone(
    start: Start, programs: Path, shell: str
) -> None:
    lifeline = Lifeline(shell, programs)
    children = [start("echo ready; sleep 100 & sleep 100") for _ in range(4)]
    for child in children:
        lifeline.add(child)
    for child in children[1:3]:
        lifeline.order(f"drop {child.pid}")
    lifeline.lose()
    assert [all_gone(child) for child in (children[0], children[3])] == [True, True]
    assert [child.wait(TIMEOUT) for child in (children[0], children[3])] == [-signal.SIGTERM] * 2
    assert lifeline.end()[:2] == (b"", b"")
    assert [child.poll() for child in children[1:3]] == [None, None]


@each_shell
@pytest.mark.parametrize("session", [True, False], ids=["a group", "a process without a group"])
def test_at_its_end_what_is_listed_has_time_to_clean_up(
    start: Start, programs: Path, shell: str, session: bool
) -> None:
    lifeline = Lifeline(shell, programs)
    child = start("trap 'sleep 0.5; exit 9' TERM; echo ready; while :; do sleep 0.01; done", session=session)
    lifeline.add(child)
    lifeline.lose()
    assert child.wait(TIMEOUT) == 9
    lifeline.end()


@each_shell
def test_at_its_end_processes_that_ignore_that_are_killed(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("trap '' TERM; echo ready; sleep 100 & sleep 100")
    lifeline.add(child)
    began = time.monotonic()
    lifeline.lose()
    assert all_gone(child)
    assert time.monotonic() - began < END_TIMEOUT
    assert child.wait(TIMEOUT) == -signal.SIGKILL
    lifeline.end()


@each_shell
@pytest.mark.parametrize(
    "orders", [[], ["add 99999999 99999999", "drop 99999999"], ["drop 1"], ["", "nonsense", "kill", "kill 1 HUP 1"]]
)
def test_at_its_end_with_nothing_listed_it_ends_at_once(programs: Path, shell: str, orders: list[str]) -> None:
    lifeline = Lifeline(shell, programs)
    for order in orders:
        lifeline.order(order)
    began = time.monotonic()
    assert lifeline.end() == (b"", b"", 0)
    assert time.monotonic() - began < 2
