"""Kills processes at random moments: nothing is left, statuses are correct, and the next command works."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial

import pytest

from tests.e2e.masters import log, masters
from tests.e2e.project import TIMEOUT, Project
from tests.e2e.reached import none_sleeps, sleepers, token
from tests.leaks import Leaks, wait_until
from tests.processes import listed_processes
from tests.soak import Counted, tries
from tests.sshd import Sshd

GONE = 10.0
"""Seconds in which a command must be gone."""

LONGEST_PAUSE = 0.6
"""The maximum number of seconds until the kill. A first command takes about that long, later ones a tenth."""

AT_ONCE = 3
"""Commands that run when something is killed."""

UNHARMFUL = ("CONT", "WINCH", "USR1", "USR2")
"""Signals that do not end the command of the storm."""

ENDS = {(143, b""), (-signal.SIGTERM, b"")}
"""The results of a command that is sent SIGTERM: the signal was passed on, or there was no command to pass it on to."""

KILLED = (137, b"")
"""The result of a command whose shell was killed before it was replaced by the command."""


def kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def on_target(server: Sshd, part: str) -> list[int]:
    """The server's processes whose command line contains `part`."""
    table = listed_processes()
    below = Leaks._descendants(table, {server.pid})
    return [pid for pid in below if part in table[pid].command]


def victims(kind: str, project: Project, server: Sshd, commands: list[subprocess.Popen[bytes]]) -> list[int]:
    """The processes of a kind that can be killed now. A `shell` that runs no command is a warm one or the lifeline."""
    if kind == "client":
        return [command.pid for command in commands]
    if kind == "master":
        return masters(project)
    return on_target(server, "rdo_s" if kind == "shell" else "sshd")


def begin(project: Project, mark: str) -> subprocess.Popen[bytes]:
    return project.start("-T", "sh", "-c", f"echo up; sleep {mark} | sleep {mark}", stdin=subprocess.DEVNULL)


def end(command: subprocess.Popen[bytes], victim: int, kind: str) -> None:
    """Wait for the end of a command, and check that its status and output are correct."""
    ends = ENDS | {KILLED} if kind == "shell" else ENDS
    if command.poll() is None:
        command.send_signal(signal.SIGTERM)
    output, said = command.communicate(timeout=TIMEOUT)
    assert output in (b"", b"up\n")
    if command.pid == victim:
        assert command.returncode == -signal.SIGKILL
    elif command.returncode == 255:
        assert said.startswith(b"rdo: "), said
        assert said.count(b"\n") == 1, said
    else:
        assert (command.returncode, said) in ends


@pytest.fixture
def server(own_sshd: Callable[..., Sshd]) -> Sshd:
    """A server whose sessions may be killed."""
    return own_sshd().start()


@pytest.fixture
def project(tmp_path: object, runtime: dict[str, str], server: Sshd) -> Project:
    """A project on that server."""
    from tests.e2e.project import ssh_project

    return ssh_project(tmp_path, runtime, server)  # type: ignore[arg-type]


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["client", "master", "shell", "session"])
def test_a_kill_at_a_random_moment_leaves_nothing_and_harms_no_later_command(
    project: Project, server: Sshd, counted: Counted, kind: str
) -> None:
    for seed in counted(f"random kills of a {kind}", range(tries(2, 75))):
        chance = random.Random(f"{kind} {seed}")
        marks = [token() for _ in range(AT_ONCE)]
        commands = [begin(project, mark) for mark in marks]
        time.sleep(chance.uniform(0, LONGEST_PAUSE))
        found = victims(kind, project, server, commands)
        victim = chance.choice(found) if found else 0
        if victim:
            kill(victim)
        time.sleep(chance.uniform(0, LONGEST_PAUSE))
        for command in commands:
            end(command, victim, kind)
        assert wait_until(partial(none_sleeps, marks), GONE), (seed, sleepers(*marks))
        again = project.run("echo", "x")
        assert (again.returncode, again.stdout) == (0, b"x\n"), f"{seed}: {again}\n{log(project)}"
    assert project.shell("rdoctl stop --all --now").returncode == 0
    assert wait_until(lambda: not masters(project), GONE)


@pytest.mark.soak
@pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])
def test_a_storm_of_harmless_signals_ends_nothing(project: Project, counted: Counted, option: str) -> None:
    for seed in counted("storms of 100 signals", range(tries(1, 25))):
        chance = random.Random(seed)
        mark = token()
        script = f"trap : USR1 USR2 WINCH CONT; echo up; while :; do sleep {mark} & wait; kill $!; done"
        with project.start(option, "sh", "-c", script) as command:
            assert command.stdout
            assert command.stdout.readline().strip() == b"up"
            (master,) = masters(project)
            for _ in range(100):
                command.send_signal(getattr(signal, f"SIG{chance.choice(UNHARMFUL)}"))
                os.kill(master, chance.choice((signal.SIGWINCH, signal.SIGURG, signal.SIGCHLD, signal.SIGCONT)))
                time.sleep(chance.uniform(0, 0.005))
            assert command.poll() is None
            command.send_signal(signal.SIGTERM)
            assert command.wait(TIMEOUT) == 143
        assert wait_until(partial(none_sleeps, [mark]), GONE), seed
        assert masters(project) == [master]


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "QUIT", "USR1"])
def test_a_master_that_is_ended_by_a_signal_ends_its_commands(project: Project, name: str) -> None:
    mark = token()
    with begin(project, mark) as command:
        assert command.stdout
        assert command.stdout.readline() == b"up\n"
        (master,) = masters(project)
        os.kill(master, getattr(signal, f"SIG{name}"))
        assert (command.communicate(timeout=TIMEOUT)[1].count(b"\n"), command.returncode) == (1, 255)
    assert wait_until(lambda: not sleepers(mark), GONE)
    assert project.run("echo", "x").stdout == b"x\n"
