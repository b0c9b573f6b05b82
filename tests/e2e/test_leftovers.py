"""Tests for processes that a command leaves behind: hung up if a signal ended it, or else left alone and waited for."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tests.e2e.project import TIMEOUT, Started
from tests.e2e.reached import Reached, all_but, none_sleeps, sleepers, token
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")

GONE = 5.0
"""Seconds in which a process that is hung up must be gone."""

each_way_with_and_without_a_pty = pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])


def begin(reached: Reached, option: str, script: str, *marks: str) -> Started:
    """Start a command, and wait until it has printed `up` and all its sleepers run."""
    command = reached.project.start(option, "sh", "-c", script)
    command.expect_up()
    assert wait_until(lambda: len(sleepers(*marks)) > len(marks), TIMEOUT), sleepers(*marks)
    return command


def end(command: Started) -> bytes:
    """The output until its end, even if the sleeper that it left behind is still running."""
    with command:
        try:
            return command.communicate(timeout=TIMEOUT)[0]
        finally:
            command.kill()


@each_way_with_and_without_a_pty
def test_rdo_ends_with_a_command_that_a_signal_has_ended(reached: Reached, option: str) -> None:
    for name in ("INT", "TERM", "QUIT", "HUP"):
        mark, number = token(), getattr(signal, f"SIG{name}")
        command = begin(reached, option, f"sleep {mark} & echo up; wait", mark)
        command.send_signal(number)
        end(command)
        assert command.returncode == 128 + number, name
        assert wait_until(partial(none_sleeps, [mark]), GONE), (name, sleepers(mark))


@each_way_with_and_without_a_pty
def test_output_of_a_command_after_a_signal_is_complete(reached: Reached, option: str) -> None:
    mark = token()
    script = f"trap 'head -c 1000000 /dev/zero; exit 7' INT; sleep {mark} & echo up; while :; do sleep 0.05; done"
    command = begin(reached, option, script, mark)
    command.send_signal(signal.SIGINT)
    assert end(command).count(b"\0") == 1_000_000
    assert command.returncode == 7
    assert wait_until(lambda: not sleepers(mark), GONE), sleepers(mark)


def test_a_key_on_the_terminal_is_a_signal_too(reached: Reached) -> None:
    mark = token()
    command = begin(reached, "-t", f"sleep {mark} & echo up; wait", mark)
    assert command.stdin
    command.stdin.write(b"\x03")
    command.stdin.flush()
    end(command)
    assert command.returncode == 128 + signal.SIGINT
    assert wait_until(lambda: not sleepers(mark), GONE), sleepers(mark)


def test_a_process_that_ignores_a_hang_up_is_not_waited_for(reached: Reached) -> None:
    mark = token()
    writes = "trap '' HUP TERM; exec sh -c 'while :; do echo y; sleep 0.01; done'"
    script = f"echo up; (trap '' HUP TERM; exec sleep {mark}) & ({writes}) & wait"
    command = begin(reached, "-T", script, mark)
    assert wait_until(lambda: f"sleep {mark}" in sleepers(mark).values(), GONE)  # then it ignores the signal
    command.send_signal(signal.SIGTERM)
    end(command)
    assert command.returncode == 128 + signal.SIGTERM
    assert wait_until(lambda: list(sleepers(mark).values()) == [f"sleep {mark}"], GONE), sleepers(mark)
    (left,) = sleepers(mark)
    os.kill(left, signal.SIGKILL)


@all_but("ssh-dropbear", "it closes a session as soon as its program has ended, whoever holds its streams")
def test_processes_left_by_a_command_that_ended_by_itself_are_waited_for(reached: Reached) -> None:
    ended = reached.project.run("-T", "sh", "-c", "(sleep 1; echo late) & echo early; exit 3")
    assert (ended.returncode, ended.stdout) == (3, b"early\nlate\n")
