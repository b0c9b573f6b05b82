"""Tests for the lifeline's orders, with each shell that may be /bin/sh, and for their effect on real process groups."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.leaks import wait_until
from tests.processes import group_lives
from tests.unit.remote_sh.lifeline import END_TIMEOUT, Lifeline, Start, all_gone
from tests.unit.remote_sh.shells import TIMEOUT, each_shell

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


@each_shell
def test_a_signal_reaches_the_whole_group(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("sleep 100 & echo ready; sleep 100")
    lifeline.kill(child, "KILL")
    assert all_gone(child)
    assert child.wait(TIMEOUT) == -signal.SIGKILL
    assert lifeline.end() == (b"", b"", 0)


@each_shell
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"])
def test_the_requested_signal_is_sent(start: Start, programs: Path, shell: str, name: str) -> None:
    lifeline = Lifeline(shell, programs)
    child = start(f"trap 'kill $!; exit 9' {name}; sleep 100 & echo ready; wait; exit 1")
    lifeline.kill(child, name)
    assert child.wait(TIMEOUT) == 9
    lifeline.end()


@each_shell
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="this system has no sigtimedwait")
@pytest.mark.parametrize("session", [True, False], ids=["a group", "a process without a group"])
def test_a_signal_is_sent_once(start: Start, programs: Path, shell: str, session: bool) -> None:
    # Real-time signals are queued, others are not. Only waiting shows that no second one arrives.
    program = (
        "import signal, sys; number = signal.SIGRTMIN; signal.pthread_sigmask(signal.SIG_BLOCK, [number]); "
        "print('ready', flush=True); signal.sigwait([number]); sys.exit(bool(signal.sigtimedwait([number], 0.3)))"
    )
    lifeline, child = Lifeline(shell, programs), start(f'exec "{sys.executable}" -c "{program}"', session)
    lifeline.kill(child, int(signal.SIGRTMIN))
    assert child.wait(TIMEOUT) == 0
    lifeline.end()


@each_shell
@pytest.mark.parametrize("session", [True, False], ids=["a group", "a process without a group"])
def test_an_answer_says_whether_a_process_got_the_signal(
    start: Start, programs: Path, shell: str, session: bool
) -> None:
    lifeline, child, gone = Lifeline(shell, programs), *(start("echo ready; exec sleep 100", session) for _ in range(2))
    gone.kill()
    assert gone.wait(TIMEOUT) == -signal.SIGKILL
    lifeline.kill(child, 0)
    lifeline.kill(gone, 0)
    lifeline.kill(child, "KILL")
    lifeline.end()
    assert lifeline.answers == [True, False, True]


@each_shell
def test_a_process_without_a_group_of_its_own_gets_the_signal_alone(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("echo ready; exec sleep 100", session=False)
    lifeline.kill(child, "TERM")
    assert child.wait(TIMEOUT) == -signal.SIGTERM
    lifeline.end()


STRANGERS = ["{it} {shell}", "-{it} -{it}", "0{it} 0{it}", "{it} 1", "{it}", "{shell} {it}x", "0 0", "1 1", "-1 -1"]
"""Orders about groups that are not ours: the group, and the shell to which it supposedly belongs."""


@each_shell
def test_no_process_is_signalled_that_does_not_belong_to_a_shell_of_ours(
    start: Start, programs: Path, shell: str
) -> None:
    sudo = programs / "sudo"
    sudo.write_text('#!/bin/sh\necho "$*" >>"$0.log"\nexit 1\n')
    sudo.chmod(0o755)
    lifeline = Lifeline(shell, programs)
    ours, stranger = start("echo ready; exec sleep 100"), start("echo ready; exec sleep 100")
    for each in STRANGERS:
        group, _, of = each.format(it=stranger.pid, shell=ours.pid).partition(" ")
        lifeline.order(f"kill {group} KILL {of}")
        lifeline.order(f"add {group} {of}")
    lifeline.order(f"kill {lifeline.pid} KILL {lifeline.pid}")
    lifeline.add(ours)
    lifeline.lose()
    assert all_gone(ours)
    assert lifeline.end()[:2] == (b"", b"")
    assert stranger.poll() is None
    asked = sudo.with_name("sudo.log")  # there may be one about the group that is gone by then
    assert not asked.exists() or {line.split()[-1] for line in asked.read_text().splitlines()} == {str(ours.pid)}


LEADERLESS = """
import os, subprocess, sys, time
leader = os.fork()
if leader == 0:
    os.setpgid(0, 0)
    subprocess.Popen(["sleep", "100"])
    os._exit(0)
os.waitpid(leader, 0)
print("ready", leader, flush=True)
time.sleep(100)
"""
"""A session with a group whose leader has ended, and of which a process is left."""


@each_shell
@pytest.mark.skipif(sys.platform != "linux", reason="no other system has /proc")
@pytest.mark.parametrize("order", ["kill", "add"])
def test_a_group_whose_leader_has_ended_is_known_by_its_session(programs: Path, shell: str, order: str) -> None:
    lifeline = Lifeline(shell, programs)
    with subprocess.Popen([sys.executable, "-c", LEADERLESS], stdout=subprocess.PIPE, start_new_session=True) as ours:
        assert ours.stdout
        group = int(ours.stdout.readline().split()[1])
        try:
            for session in (os.getsid(0), ours.pid):
                lifeline.order(f"kill {group} KILL {session}" if order == "kill" else f"add {group} {session}")
            lifeline.lose()
            assert wait_until(lambda: not group_lives(group), END_TIMEOUT)
            lifeline.end()
            assert lifeline.answers == ([False, True] if order == "kill" else [])
        finally:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            ours.kill()


@each_shell
def test_a_group_is_known_whatever_the_program_is_called(programs: Path, shell: str) -> None:
    name = programs / ") S 1 2 (\n) x)"  # as in proc(5), in parentheses
    name.symlink_to(str(shutil.which("sleep")))
    lifeline = Lifeline(shell, programs)
    with subprocess.Popen([name, "100"], preexec_fn=os.setpgrp) as ours:
        try:
            lifeline.order(f"kill {ours.pid} KILL {os.getpid()}")
            lifeline.end()
            assert (lifeline.answers, ours.wait(TIMEOUT)) == ([True], -signal.SIGKILL)
        finally:
            ours.kill()


@each_shell
def test_orders_about_groups_that_are_gone_are_harmless(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done")
    lifeline.order("kill 99999999 TERM 99999999")
    lifeline.order("add 99999999 99999999")
    lifeline.order("drop 99999999")
    lifeline.kill(child, "USR1")
    assert child.wait(TIMEOUT) == 9
    assert lifeline.end() == (b"", b"", 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only ps shows processes here")
@each_shell
def test_for_a_group_that_is_gone_no_program_is_started(programs: Path, shell: str) -> None:
    ps = programs / "ps"
    ps.write_text('#!/bin/sh\necho "$*" >>"$0.log"\n')
    ps.chmod(0o755)
    lifeline = Lifeline(shell, programs)
    lifeline.order("add 99999999 99999999")
    lifeline.order("drop 99999999")
    lifeline.end()
    assert not (programs / "ps.log").exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nothing else says what the children of a process did")
@each_shell
def test_for_a_signal_no_process_is_started(start: Start, programs: Path, shell: str) -> None:
    if shell == "posh":
        pytest.skip("its `kill` is a program")
    lifeline, children = Lifeline(shell, programs), [start("echo ready; exec sleep 100") for _ in range(2)]
    faults = []
    for child in children:
        lifeline.kill(child, "KILL")
        assert child.wait(TIMEOUT) == -signal.SIGKILL
        faults.append(Path(f"/proc/{lifeline.pid}/stat").read_text().rpartition(")")[2].split()[8])
    lifeline.end()
    assert faults[0] == faults[1], "of memory, in children that it has waited for"
