"""Tests that signals reach the command's process group, with and without a pty, and that no command outlives its
client.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests import clients
from tests.e2e.masters import masters
from tests.e2e.project import Project
from tests.e2e.reached import token
from tests.e2e.terminal import LINE_START, Terminal
from tests.leaks import wait_until
from tests.soak import Counted, tries

pytestmark = pytest.mark.both_clients

FORWARDED = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "WINCH"]

GONE = 5.0
"""Seconds in which a command must be gone after its client."""


def alive(pid: int) -> bool:
    """Whether the process exists and has not ended."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state) and not state.startswith("Z")


def trap(name: str) -> str:
    """A script that prints its process ID, and ends with 7 on the signal."""
    return f"trap 'echo caught; exit 7' {name}; echo $$; while :; do sleep 0.05; done"


@pytest.mark.parametrize("name", FORWARDED)
def test_a_signal_to_the_client_reaches_the_command_without_a_pty(project: Project, name: str) -> None:
    with project.start("sh", "-c", trap(name)) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(getattr(signal, f"SIG{name}"))
        assert process.stdout.read() == b"caught\n"
        assert process.wait() == 7


@pytest.mark.soak
def test_signals_that_arrive_together_with_output_are_not_delayed(project: Project, counted: Counted) -> None:
    script = "trap 'echo one' USR1; trap 'echo two' USR2; echo up; while :; do sleep 0.02; done"
    with project.start("sh", "-c", script, stderr=subprocess.DEVNULL) as process:  # the shell reports each sleep
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        try:
            for _ in counted("pairs of signals", range(tries(60, 3000))):
                process.send_signal(signal.SIGUSR1)
                process.send_signal(signal.SIGUSR2)
                lines = b""
                while lines.count(b"\n") < 2:
                    assert select.select([process.stdout], [], [], GONE)[0], lines
                    lines += os.read(process.stdout.fileno(), 100)
                assert sorted(lines.split()) == [b"one", b"two"]
        finally:
            process.kill()


@pytest.mark.parametrize("name", FORWARDED)
def test_a_signal_to_the_client_reaches_the_command_with_a_pty(project: Project, terminal: Terminal, name: str) -> None:
    assert project.run("true").returncode == 0  # which the native client leaves to the one in Python
    mine = token()
    terminal.line(f'rdo sh -c "echo up; {trap(name)}" {mine}; echo status=$?')
    terminal.match(rf"{LINE_START}up\r\n\d+\r\n")
    python = f"\\S+python\\S* -I .*{project.command()[0]!s}-client"
    pattern = (
        f"^{'rdo' if clients.is_native(Path(str(project.command()[0])).parent) else python} sh -c echo up.* {mine}$"
    )
    found = subprocess.run(["pgrep", "-f", pattern], capture_output=True, text=True, check=True)
    os.kill(int(found.stdout), getattr(signal, f"SIG{name}"))
    terminal.expect("caught\r\n")
    terminal.expect("status=7")


def test_ctrl_c_on_a_terminal_reaches_a_command_in_a_pipeline(terminal: Terminal, project: Project) -> None:
    script = 'trap "echo x > caught; exit 7" INT; echo up >&2; while :; do sleep 0.05; done'
    terminal.line(f"rdo sh -c '{script}' | cat")
    terminal.match(rf"{LINE_START}up")
    terminal.type("\x03")
    terminal.prompt()
    assert (project.remote / "caught").read_text() == "x\n"


def members(group: int) -> list[str]:
    """The processes of a group that have not ended."""
    listing = subprocess.run(["ps", "-Awwo", "pgid=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listing.splitlines()]
    return [row[-1] for row in rows if row[0] == str(group) and not row[1].startswith("Z")]


@pytest.mark.parametrize(("name", "command"), [
    *((name, "sleep 300") for name in ("INT", "TERM", "HUP", "KILL")),
    *((name, "sleep 300 & sleep 300") for name in ("TERM", "HUP", "KILL")),
    ("KILL", "trap '' HUP TERM INT; sleep 300; sleep 300"),
])  # fmt: skip
def test_no_process_of_the_group_outlives_its_client(project: Project, name: str, command: str) -> None:
    with project.start("sh", "-c", f"echo $$; {command}") as process:
        assert process.stdout
        group = int(process.stdout.readline())
        assert os.getpgid(group) == group
        # While it starts a program, dash would only record SIGINT.
        assert wait_until(lambda: any(each.startswith("sleep") for each in members(group)), GONE)
        process.send_signal(getattr(signal, f"SIG{name}"))
        process.wait(GONE)
    assert wait_until(lambda: not members(group), GONE), members(group)


def test_a_command_on_a_pty_is_gone_when_its_terminal_is(project: Project) -> None:
    with Terminal(["rdo"], project.local, project.environment) as opened:
        opened.line("echo pid=$$")
        shell = int(opened.match(r"pid=(\d+)\r").group(1))
        opened.line("sleep 299 & echo job=$!")
        job = int(opened.match(r"job=(\d+)\r").group(1))
    assert wait_until(lambda: not alive(shell) and not alive(job), GONE)


def test_a_command_that_survives_a_closed_terminal_reads_the_end_of_its_input(project: Project) -> None:
    """Such as an interactive bash that was just about to read, and missed the signal."""
    with Terminal(
        ["rdo", "sh", "-c", "trap '' HUP; echo pid=$$; exec cat"], project.local, project.environment
    ) as opened:
        reader = int(opened.match(r"pid=(\d+)\r").group(1))
        opened.type("no whole line")
    assert wait_until(lambda: not alive(reader), GONE)


@pytest.mark.serial
def test_killing_the_master_ends_its_commands_and_their_clients_within_a_second(own: Project) -> None:
    own.run("true")
    with own.start("sh", "-c", "echo $$; sleep 300") as process:
        assert process.stdout
        assert process.stderr
        group = int(process.stdout.readline())
        (master,) = masters(own)
        started = time.monotonic()
        os.kill(master, signal.SIGKILL)
        assert process.wait() == 255
        assert time.monotonic() - started < 1
        said = process.stderr.read()
        assert said.startswith(b"rdo: the command was lost: the control master exited or ended it; ")
        assert said.count(b"\n") == 1
    assert wait_until(lambda: not alive(group), GONE)
    assert own.run("true").returncode == 0


def test_background_children_of_a_command_that_ended_by_itself_are_left_alone(project: Project) -> None:
    result = project.run("sh", "-c", "sleep 30 >/dev/null 2>&1 </dev/null & echo $!")
    child = int(result.stdout)
    assert alive(child)
    os.kill(child, signal.SIGKILL)
