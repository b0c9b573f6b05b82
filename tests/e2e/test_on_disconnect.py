"""Tests for `on_disconnect = "keep"`: a command outlives link, master and client, but not a signal or `stop --now`."""

from __future__ import annotations

import os
import re
import signal
from contextlib import ExitStack
from functools import partial

import pytest

from tests.e2e.project import TIMEOUT, Started
from tests.e2e.reached import Reached, none_sleeps, sleepers, token
from tests.leaks import wait_until
from tests.processes import wait_for_ends

GONE = 5.0
"""Seconds in which a command that has to end must be gone."""

LIFELINE = 3.0
"""Seconds after which the lifeline would have ended a command. It waits 2."""

each_way_with_and_without_a_pty = pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])


@pytest.fixture(autouse=True)
def _keep(reached: Reached) -> None:
    reached.configure('on_disconnect = "keep"\n')


def begin(reached: Reached, option: str, mark: str) -> Started:
    """Start a command, which prints nothing after its start."""
    script = f"echo up; exec >/dev/null 2>&1 </dev/null; sleep {mark}; exit"
    command = reached.project.start(option, "sh", "-c", script)
    command.expect_up()
    assert wait_until(lambda: runs(mark), TIMEOUT)
    return command


def runs(mark: str) -> bool:
    """Whether the command is running, with its shell and the program that it waits for."""
    return len(sleepers(mark)) >= 2


def errors(command: Started) -> bytes:
    """The errors of its client at the end."""
    with command:
        _, said = command.communicate(timeout=TIMEOUT)
    assert command.returncode == 255
    return said


@each_way_with_and_without_a_pty
def test_a_command_outlives_its_link_and_its_master(reached: Reached, option: str) -> None:
    marks = token(), token()
    assert reached.project.run("true").returncode == 0  # so that there is a lifeline, by which a cut is noticed
    cut = begin(reached, option, marks[0])
    reached.line.cut()
    lost = rb"rdo: the connection to `.*` was lost: .*; the command continues there, if it can\n"
    assert re.fullmatch(lost, errors(cut))
    orphan = begin(reached, option, marks[1])
    os.kill(reached.masters()[0], signal.SIGKILL)
    assert b"the control master exited" in errors(orphan)
    wait_for_ends(sleepers(*marks), LIFELINE)
    assert all(map(runs, marks)), sleepers(*marks)
    for pid, line in sleepers(*marks).items():
        if line.startswith("sleep"):
            os.kill(pid, signal.SIGTERM)
    assert wait_until(lambda: not sleepers(*marks), GONE)


@each_way_with_and_without_a_pty
@pytest.mark.usefixtures("lent")
def test_a_signal_to_its_client_ends_a_command(reached: Reached, option: str) -> None:
    for name in ("INT", "HUP", "TERM"):
        mark = token()
        with begin(reached, option, mark) as command:
            command.send_signal(getattr(signal, f"SIG{name}"))
            command.communicate(timeout=TIMEOUT)
        assert wait_until(partial(none_sleeps, [mark]), GONE), sleepers(mark)


@each_way_with_and_without_a_pty
def test_a_command_outlives_a_killed_client_and_continues_to_write(reached: Reached, option: str) -> None:
    mark, end = token(), reached.directory + "/end"
    script = f"sleep {mark} & trap 'head -c 500000 /dev/zero; echo ended >\"$1\"' USR1; echo up; wait; wait; exit"
    command = reached.project.start(option, "sh", "-c", script, "sh", end)
    with command, ExitStack() as stack:
        stack.callback(command.kill)
        command.expect_up()
        assert wait_until(lambda: runs(mark), TIMEOUT)
    wait_for_ends(sleepers(mark), LIFELINE)
    assert runs(mark), sleepers(mark)
    shells = [pid for pid, line in sleepers(mark).items() if not line.startswith("sleep")]
    for pid in shells:
        os.kill(pid, signal.SIGUSR1)
    assert wait_until(lambda: reached.project.run("cat", end).stdout == b"ended\n", GONE)
    assert reached.project.shell("rdoctl stop --now").returncode == 0
    assert not sleepers(mark)


def test_stop_now_still_ends_it_and_waits_for_its_end(reached: Reached) -> None:
    mark = token()
    with begin(reached, "-T", mark) as command:
        assert reached.project.shell("rdoctl stop --now").returncode == 0
        assert not sleepers(mark)
        command.communicate(timeout=TIMEOUT)
