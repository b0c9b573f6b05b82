"""Tests for properties of every kind of target, within the time that a user would wait."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import time

import pytest

from tests.e2e.project import TIMEOUT, Project
from tests.e2e.reached import Reached, token
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until
from tests.processes import listed_processes
from tests.soak import tries

pytestmark = pytest.mark.usefixtures("lent")

PROMPT = 5.0
"""Seconds for a command that takes milliseconds: less than any timeout."""

GONE = 5.0
"""Seconds in which a command must be gone."""


def commands(mark: str) -> list[str]:
    """Command lines of running processes with the mark in them, except those of rdo and of local shells."""
    lines = [process.command for process in listed_processes().values()]
    return [line for line in lines if line.startswith("yes ") and mark in line]


@pytest.mark.serial
def test_a_reader_that_closes_ends_the_command_within_two_seconds(reached: Reached) -> None:
    assert reached.project.run("true").returncode == 0
    mark = token()
    began = time.monotonic()
    found = reached.project.shell(f"rdo yes {mark} | head -1; echo ${{PIPESTATUS[0]}}")
    assert time.monotonic() - began < 2
    assert found.stdout.decode() == f"{mark}\n141\n"
    assert wait_until(lambda: not commands(mark), GONE)


@pytest.mark.serial
def test_a_terminal_that_is_not_read_delays_no_other_command(reached: Reached) -> None:
    assert reached.project.run("true").returncode == 0
    mark = token()
    with Terminal(["rdo", "yes", mark], reached.project.local, reached.project.environment) as flooded:
        flooded.expect(mark)  # and from here on it is not read
        assert wait_until(lambda: len(commands(mark)) == 1, GONE)
        # This may log in again, because some servers allow two sessions for each login.
        assert reached.project.run("true").returncode == 0
        for _ in range(3):
            began = time.monotonic()
            assert reached.project.run("echo", "hi").stdout == b"hi\n"
            assert time.monotonic() - began < PROMPT
    assert wait_until(lambda: not commands(mark), GONE)


@pytest.mark.parametrize("option", ["-T", "-t"], ids=["without a pty", "with a pty"])
def test_an_interrupt_runs_the_commands_trap_and_gives_its_status(reached: Reached, option: str) -> None:
    script = "trap 'echo caught; exit 7' INT; echo up; while :; do sleep 0.05; done"
    with reached.project.start(option, "sh", "-c", script) as command:
        assert command.stdout
        assert command.stdout.readline().strip() == b"up"
        command.send_signal(signal.SIGINT)
        assert command.communicate(timeout=TIMEOUT)[0].strip().endswith(b"caught")
        assert command.returncode == 7


@pytest.mark.serial
@pytest.mark.soak
def test_the_end_of_input_arrives_each_time_at_once(reached: Reached) -> None:
    assert reached.project.run("true").returncode == 0
    for _ in range(tries(10, 100)):
        began = time.monotonic()
        assert reached.project.run("cat", input=b"abc").stdout == b"abc"
        assert time.monotonic() - began < PROMPT


def test_a_cut_line_is_silently_replaced(reached: Reached) -> None:
    for number in range(3):
        found = reached.project.run("echo", str(number))
        assert (found.stdout, found.stderr, found.returncode) == (b"%d\n" % number, b"", 0)
        reached.line.cut()


def test_the_callers_descriptors_keep_their_flags(project: Project) -> None:
    ends = [*os.pipe(), *os.pipe(), *pty.openpty()]
    before = [fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends]
    while_it_runs = []
    for stdin, stdout in ((ends[0], ends[3]), (ends[5], ends[5])):
        with project.start("sleep", "0.3", stdin=stdin, stdout=stdout, stderr=stdout) as command:
            while command.poll() is None:
                while_it_runs.append([fcntl.fcntl(fd, fcntl.F_GETFL) for fd in ends])
                time.sleep(0.01)
        assert command.returncode == 0
    assert all(flags == before for flags in while_it_runs)
    for fd in ends:
        os.close(fd)


def test_others_that_write_to_the_same_pipe_get_no_eagain(project: Project) -> None:
    line = "(rdo true; exec head -c 4000000 /dev/zero) | (sleep 0.5; wc -c); echo ${PIPESTATUS[0]}"
    found = project.shell(line)
    assert (found.stdout.split(), found.stderr) == ([b"4000000", b"0"], b"")


def test_a_resize_while_stopped_is_seen_after_fg(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'echo u''p; read x; stty size'")
    terminal.expect("up\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.resize(25, 90)
    terminal.line("fg")
    terminal.expect("stty size'\r\n")
    terminal.line("")
    terminal.expect("25 90\r\n")
