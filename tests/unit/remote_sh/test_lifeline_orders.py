"""The lifeline's orders, given to each shell that may be /bin/sh, and what they do to real process groups."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from rdo.remote_sh.bootstrap import bootstrap
from rdo.remote_sh.render import LIFELINE
from tests.leaks import wait_until
from tests.unit.remote_sh.shells import BOUND, NONCE, as_bin_sh, each_shell

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

END_BOUND = 20.0
"""Seconds within which all that is listed must be gone after the lifeline's end: it tries for 2, and posh, on a machine
busy with something else, starts two programs each time. What is not ended goes on for 100."""

SAFE_KILL = """#!/bin/sh
case $2 in [1-9]*) exec /bin/kill "$@";; esac
echo "$*" >>"$0.log"
"""
"""Stands before the program of that name: given a group, that of procps 4.0 signals every process there is."""


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Path]:
    """A directory to be searched first for programs: with a `kill` that signals no group."""
    kill = tmp_path / "kill"
    kill.write_text(SAFE_KILL)
    kill.chmod(0o755)
    yield tmp_path
    assert not (tmp_path / "kill.log").exists()


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program in a session of its own, ready when it has said so; at the end all of it is killed."""
    with ExitStack() as stack:

        def go(text: str, session: bool = True) -> subprocess.Popen[bytes]:
            argv = ["/bin/sh", "-c", text]
            child = subprocess.Popen(argv, stdout=subprocess.PIPE, start_new_session=session)
            stack.enter_context(child)
            stack.callback(kill_group if session else subprocess.Popen.kill, child)
            assert child.stdout
            assert child.stdout.readline() == b"ready\n"
            return child

        yield go


def kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


class Lifeline:
    """A shell that runs the lifeline's script, over pipes."""

    def __init__(self, shell: str, programs: Path) -> None:
        argv = ["/bin/sh", "-c", as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))]
        pipe = subprocess.PIPE
        variables = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self._shell = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=variables
        )
        self.pid = self._shell.pid
        self._to_answer = 0
        self.answers: list[bool] = []
        """Whether a process got the signal, for each order to send one."""
        self.order(LIFELINE)

    def add(self, child: subprocess.Popen[bytes]) -> None:
        """List what is a shell of ours."""
        self.order(f"add {child.pid} {child.pid}")

    def kill(self, child: subprocess.Popen[bytes], name: object) -> None:
        """Have it signalled."""
        self.order(f"kill {child.pid} {name} {child.pid}")

    def order(self, line: str) -> None:
        assert self._shell.stdin
        self._to_answer += line.split()[:1] == ["kill"]
        self._shell.stdin.write(line.encode() + b"\n")
        self._shell.stdin.flush()

    def lose(self) -> None:
        """Close its stdin, as the end of the master or of the link does."""
        assert self._shell.stdin
        self._shell.stdin.close()
        self._shell.stdin = None

    def end(self) -> tuple[bytes, bytes, int]:
        """Lose it and wait for its end: all it said behind the markers but for answers, and its status."""
        out, errors = self._shell.communicate(timeout=BOUND)
        marker = NONCE.encode()
        said = out.partition(b"\n")[2]
        answers, said = said.split(b"\n")[: self._to_answer], b"\n".join(said.split(b"\n")[self._to_answer :])
        assert re.fullmatch(rb"([0-9]+ )*", b"".join(answer + b" " for answer in answers)), (out, errors)
        self.answers = [answer == b"0" for answer in answers]
        return said, errors.removeprefix(marker + b"\n"), self._shell.returncode


def all_gone(child: subprocess.Popen[bytes]) -> bool:
    """Whether every process of the group has ended in time: then nobody has its stdout open any more."""
    deadline = time.monotonic() + END_BOUND
    assert child.stdout
    os.set_blocking(child.stdout.fileno(), False)
    while time.monotonic() < deadline:
        if child.stdout.read(1) == b"":
            return True
        time.sleep(0.01)
    return False


@each_shell
def test_a_signal_reaches_the_whole_group(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("sleep 100 & echo ready; sleep 100")
    lifeline.kill(child, "KILL")
    assert all_gone(child)
    assert child.wait(BOUND) == -signal.SIGKILL
    assert lifeline.end() == (b"", b"", 0)


@each_shell
@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"])
def test_a_signal_is_the_one_that_was_asked_for(start: Start, programs: Path, shell: str, name: str) -> None:
    lifeline = Lifeline(shell, programs)
    child = start(f"trap 'kill $!; exit 9' {name}; sleep 100 & echo ready; wait; exit 1")
    lifeline.kill(child, name)
    assert child.wait(BOUND) == 9
    lifeline.end()


@each_shell
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="this system has no sigtimedwait")
@pytest.mark.parametrize("session", [True, False], ids=["a group", "a process without a group"])
def test_a_signal_is_sent_once(start: Start, programs: Path, shell: str, session: bool) -> None:
    # Real-time signals are counted, others are not; waiting is the only way to see that none comes.
    program = (
        "import signal, sys; number = signal.SIGRTMIN; signal.pthread_sigmask(signal.SIG_BLOCK, [number]); "
        "print('ready', flush=True); signal.sigwait([number]); sys.exit(bool(signal.sigtimedwait([number], 0.3)))"
    )
    lifeline, child = Lifeline(shell, programs), start(f'exec "{sys.executable}" -c "{program}"', session)
    lifeline.kill(child, int(signal.SIGRTMIN))
    assert child.wait(BOUND) == 0
    lifeline.end()


@each_shell
@pytest.mark.parametrize("session", [True, False], ids=["a group", "a process without a group"])
def test_an_answer_says_whether_somebody_got_the_signal(
    start: Start, programs: Path, shell: str, session: bool
) -> None:
    lifeline, child, gone = Lifeline(shell, programs), *(start("echo ready; exec sleep 100", session) for _ in range(2))
    gone.kill()
    assert gone.wait(BOUND) == -signal.SIGKILL
    lifeline.kill(child, 0)
    lifeline.kill(gone, 0)
    lifeline.kill(child, "KILL")
    lifeline.end()
    assert lifeline.answers == [True, False, True]


@each_shell
def test_a_process_without_a_group_of_its_own_gets_the_signal_alone(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("echo ready; exec sleep 100", session=False)
    lifeline.kill(child, "TERM")
    assert child.wait(BOUND) == -signal.SIGTERM
    lifeline.end()


STRANGERS = ["{it} {shell}", "-{it} -{it}", "0{it} 0{it}", "{it} 1", "{it}", "{shell} {it}x", "0 0", "1 1", "-1 -1"]
"""Numbers that are no group of ours, as an order has them: the group, and the shell that it is said to belong to."""


@each_shell
def test_nobody_is_signalled_who_is_not_of_a_shell_of_ours(start: Start, programs: Path, shell: str) -> None:
    sudo = programs / "sudo"
    sudo.write_text('#!/bin/sh\necho "$*" >>"$0.log"\n')
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
    assert lifeline.end() == (b"", b"", 0)
    assert (stranger.poll(), sudo.with_name("sudo.log").exists()) == (None, False)


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
            assert wait_until(lambda: is_gone(group), END_BOUND)
            lifeline.end()
            assert lifeline.answers == ([False, True] if order == "kill" else [])
        finally:
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
            ours.kill()


def is_gone(group: int) -> bool:
    """Whether no process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


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
    assert [child.wait(BOUND) for child in (children[0], children[3])] == [-signal.SIGTERM] * 2
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
    assert child.wait(BOUND) == 9
    lifeline.end()


@each_shell
def test_at_its_end_who_ignores_that_is_killed(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("trap '' TERM; echo ready; sleep 100 & sleep 100")
    lifeline.add(child)
    began = time.monotonic()
    lifeline.lose()
    assert all_gone(child)
    assert time.monotonic() - began < END_BOUND
    assert child.wait(BOUND) == -signal.SIGKILL
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


@each_shell
def test_orders_about_what_is_gone_are_harmless(start: Start, programs: Path, shell: str) -> None:
    lifeline, child = Lifeline(shell, programs), start("trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done")
    lifeline.order("kill 99999999 TERM 99999999")
    lifeline.order("add 99999999 99999999")
    lifeline.order("drop 99999999")
    lifeline.kill(child, "USR1")
    assert child.wait(BOUND) == 9
    assert lifeline.end() == (b"", b"", 0)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only ps shows processes here")
@each_shell
def test_a_group_that_is_gone_costs_no_program(programs: Path, shell: str) -> None:
    ps = programs / "ps"
    ps.write_text('#!/bin/sh\necho "$*" >>"$0.log"\n')
    ps.chmod(0o755)
    lifeline = Lifeline(shell, programs)
    lifeline.order("add 99999999 99999999")
    lifeline.order("drop 99999999")
    lifeline.end()
    assert not (programs / "ps.log").exists()
