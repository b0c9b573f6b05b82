"""Tests that nothing of a command is left on the target, however it loses its client, its master or its link."""

from __future__ import annotations

import os
import signal
from functools import partial

import pytest

from tests.e2e.project import TIMEOUT, Project, Started
from tests.e2e.reached import Reached, all_sleep, none_sleeps, sleepers, token
from tests.leaks import wait_until
from tests.soak import Counted, tries

GONE = 5.0
"""Seconds in which a command must be gone."""

AT_ONCE = 5
"""Commands that lose it at the same time."""

each_way_with_and_without_a_pty = pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])


def begin(reached: Reached, option: str, mark: str) -> Started:
    """Start a command of three processes, of which two sleep."""
    words = ("sh", "-c", f"echo up; sleep {mark} | sleep {mark}")
    return reached.project.start(option, *words)


def batches(count: int) -> list[int]:
    """Start this many commands in groups."""
    return [min(AT_ONCE, count - start) for start in range(0, count, AT_ONCE)]


LOSSES = {"line": "a cut link", "master": "KILL to the master"}
"""What a command can lose, besides a signal to the client."""


def lose(reached: Reached, option: str, how: str, counted: Counted) -> None:
    """Take from commands what `how` names, and check that all of them end, here and there."""
    what = LOSSES.get(how, f"{how} to the client")
    for size in counted(f"times {AT_ONCE} commands, {what}", batches(tries(2, 25))):
        marks = [token() for _ in range(size)]
        commands = [begin(reached, option, mark) for mark in marks]
        for command in commands:
            command.expect_up()
        assert wait_until(partial(all_sleep, marks), TIMEOUT)  # "up" comes first
        strike(reached, commands, how)
        for command in commands:
            assert status(command) == 255 or how not in LOSSES
        assert wait_until(partial(none_sleeps, marks), GONE), sleepers(*marks)


def status(command: Started) -> int:
    """Its exit status. It is killed if it does not end."""
    try:
        command.communicate(timeout=TIMEOUT)
    finally:
        command.kill()
        command.communicate()
    return command.returncode


def strike(reached: Reached, commands: list[Started], how: str) -> None:
    if how == "line":
        reached.line.cut()
    elif how == "master":
        (master,) = reached.masters()
        os.kill(master, signal.SIGKILL)
    else:
        for command in commands:
            command.send_signal(getattr(signal, f"SIG{how}"))


@each_way_with_and_without_a_pty
@pytest.mark.usefixtures("lent")
def test_a_process_that_ignores_a_hang_up_and_holds_no_stream_does_not_outlive_its_client(
    reached: Reached, option: str
) -> None:
    mark = token()
    ignoring = f"(trap '' HUP TERM; exec sleep {mark}) >/dev/null 2>&1 </dev/null &"
    command = reached.project.start(option, "sh", "-c", f"{ignoring} echo up; wait")
    command.expect_up()
    assert wait_until(lambda: len(sleepers(mark)) >= 2, TIMEOUT)
    strike(reached, [command], "KILL")
    status(command)
    assert wait_until(lambda: not sleepers(mark), GONE), sleepers(mark)


@pytest.mark.soak
@each_way_with_and_without_a_pty
@pytest.mark.usefixtures("lent")
def test_nothing_outlives_its_client(reached: Reached, option: str, counted: Counted) -> None:
    for name in ("INT", "TERM", "HUP", "KILL"):
        lose(reached, option, name, counted)


@pytest.mark.soak
@each_way_with_and_without_a_pty
def test_nothing_outlives_its_master(reached: Reached, option: str, counted: Counted) -> None:
    lose(reached, option, "master", counted)


@pytest.mark.soak
@each_way_with_and_without_a_pty
@pytest.mark.usefixtures("lent")
def test_nothing_outlives_its_link(reached: Reached, option: str, counted: Counted) -> None:
    lose(reached, option, "line", counted)


def test_background_children_of_a_command_that_ended_by_itself_are_left_alone(reached: Reached) -> None:
    mark = token()
    assert reached.project.run("sh", "-c", f"sleep {mark} >/dev/null 2>&1 &").returncode == 0
    assert reached.project.run("true").returncode == 0
    reached.project.shell("rdoctl stop")
    left = sleepers(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(left) == 1


def test_background_children_of_concurrent_commands_are_left_alone(reached: Reached) -> None:
    """The lifeline is notified later of groups that are released while other commands run, but in time."""
    mark = token()
    with reached.project.start("sh", "-c", "echo up; read line") as beside:
        beside.expect_up()
        starts = [reached.project.start("sh", "-c", f"sleep {mark} >/dev/null 2>&1 &") for _ in range(5)]
        assert [start.communicate(b"", TIMEOUT) for start in starts] == [(b"", b"")] * 5
        reached.project.shell("rdoctl stop --now")
        beside.communicate(timeout=TIMEOUT)
    left = sleepers(mark)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert len(left) == 5


@pytest.mark.usefixtures("lent")
def test_commands_on_additional_connections_get_their_signals_too(project: Project) -> None:
    marks = [token() for _ in range(14)]
    commands = [project.start("sh", "-c", f"echo up; sleep {mark}") for mark in marks]
    for command in commands:
        command.expect_up()
    for command in commands:
        command.send_signal(signal.SIGTERM)
    ended = [command.communicate(timeout=TIMEOUT) for command in commands]
    assert [command.returncode for command in commands] == [143] * 14, ended


def test_a_command_after_a_cut_is_still_ended_with_its_client(reached: Reached) -> None:
    for _ in range(2):
        assert reached.project.run("true").returncode == 0
        reached.line.cut()
    mark = token()
    with begin(reached, "-T", mark) as command:
        command.expect_up()
        command.kill()
        command.communicate(timeout=TIMEOUT)
    assert wait_until(lambda: not sleepers(mark), GONE), sleepers(mark)
