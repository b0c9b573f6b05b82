"""Tests for which job has the terminal: jobs in the background, and shells without job control."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios
from functools import partial

import pytest

from tests.e2e.project import Project
from tests.e2e.terminal import LINE_START, Terminal
from tests.leaks import wait_until

pytestmark = pytest.mark.both_clients

ON_ANOTHER_TERMINAL = """
import os, pty, subprocess, sys
near, far = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stdin=far, stdout=far, stderr=far)
os.close(far)
while b"went on" not in os.read(near, 1000):
    pass
print("st=%d" % process.wait())
"""
"""Starts a program on a terminal that becomes nobody's controlling terminal, as some programs do."""


def is_raw(terminal: Terminal) -> bool:
    return not termios.tcgetattr(terminal.near)[3] & termios.ICANON


def answers(terminal: Terminal) -> bool:
    """Whether `cat` echoes a line. What is typed while it is stopped is lost."""
    terminal.line("two")
    return terminal.shows(r"two\r\ntwo\r\n", 0.5)


def continue_and_end(terminal: Terminal) -> None:
    """Continue `cat -v` in the foreground: it gets every key, and Ctrl-C ends it."""
    terminal.line("fg")
    terminal.expect("cat -v'\r\n")
    assert wait_until(partial(is_raw, terminal), 5)
    terminal.type("a\x15")
    terminal.match(r"^a\^U$")
    terminal.type("\x03")
    terminal.prompt()


def test_a_background_command_gets_the_terminal_when_it_is_in_the_foreground(
    terminal: Terminal,
) -> None:
    terminal.line("rdo sh -c 'stty -echo -icanon; echo up; exec cat -v' & sleep 1")
    terminal.match(rf"{LINE_START}up\r+\n")
    terminal.prompt()
    terminal.resize(25, 90)
    continue_and_end(terminal)
    terminal.line("echo st=$?; stty -a")
    terminal.expect("st=130\r\n")
    terminal.expect(" icanon ")


def test_a_background_command_does_not_get_the_modes_of_a_prompt(terminal: Terminal) -> None:
    """A shell with line editing has set its own modes by then."""
    terminal.line("(sleep 0.5; exec rdo sh -c 'echo up; read line; echo [$line]') &")
    terminal.match(r"up\r+\n")
    terminal.line("fg")
    terminal.match(r"echo \[\$line\]' ?\)\r\n")
    assert wait_until(partial(is_raw, terminal), 5)
    terminal.line("one")
    terminal.expect("[one]\r\n")


def test_the_shell_gets_keys_while_a_stopped_command_continues_in_the_background(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'echo up; read a; echo [$a]'")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type("\x1a")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("bg; sleep 0.3")
    terminal.prompt()
    for _ in range(3):
        terminal.line("jobs; sleep 0.3")
        terminal.expect("Running")
        terminal.prompt()
    terminal.line("fg")
    terminal.expect("echo [$a]'\r\n")
    terminal.line("over")
    terminal.expect("[over]\r\n")


def test_input_right_after_ctrl_z_is_for_the_shell(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'echo up; exec cat'")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type("\x1a")
    terminal.expect("^Z")  # because the remote terminal echoes it: the command is only about to stop
    terminal.line("echo ty''ped")
    terminal.expect("Stopped")
    terminal.expect("typed\r\n")


def test_input_together_with_ctrl_z_does_not_prevent_the_command_from_continuing(terminal: Terminal) -> None:
    terminal.line("rdo sh -c 'echo up; exec cat'")
    terminal.match(rf"{LINE_START}up\r\n")
    terminal.type("\x1aa")
    terminal.expect("Stopped")
    terminal.prompt()
    terminal.line("fg")
    terminal.expect("exec cat'\r\n")
    assert wait_until(partial(is_raw, terminal), 5)
    assert wait_until(partial(answers, terminal), 10)


def test_a_command_has_the_terminal_again_after_an_unnoticed_stop(terminal: Terminal, project: Project) -> None:
    terminal.line("rdo sh -c 'stty -echo -icanon; echo up; exec cat -v' & echo $! >pid; fg")
    terminal.match(rf"{LINE_START}up\r+\n")
    assert wait_until(partial(is_raw, terminal), 5)
    os.kill(int((project.local / "pid").read_text()), signal.SIGSTOP)
    terminal.expect("Stopped")
    terminal.prompt()
    continue_and_end(terminal)
    terminal.line("stty -a")
    terminal.expect(" icanon ")


@pytest.mark.parametrize("line", ["exec rdo cat", "exec rdo -T cat", "rdo cat; exit", "rdo cat | rdo cat; exit"])
def test_ctrl_z_has_no_effect_where_no_shell_could_continue_the_command(project: Project, line: str) -> None:
    """As in a window that was opened for that command alone: the system stops no program there."""
    with Terminal(["sh", "-c", line], project.local, project.environment) as terminal:
        terminal.line("one")
        terminal.expect("one\r\none\r\n")
        terminal.type("\x1a")
        terminal.expect("^Z")
        assert wait_until(partial(answers, terminal), 10)
        terminal.type("\x04")


def test_a_terminal_that_is_not_the_session_s_passes_every_key(project: Project) -> None:
    command = ["rdo", "sh", "-c", "stty -echo -icanon; echo up; exec cat -v"]
    with Terminal(command, project.local, project.environment, is_controlling=False) as terminal:
        terminal.expect("up\r\n")
        terminal.type("a\x15")
        terminal.match(r"^a\^U$")
        terminal.type("\x03")
        assert wait_until(terminal.has_ended, 10)
        assert not terminal.seen


def test_ctrl_c_on_such_a_terminal_ends_no_other_process(project: Project) -> None:
    command = ["sh", "-c", "rdo sh -c 'echo up; exec cat'; echo st=$?"]
    with Terminal(command, project.local, project.environment, is_controlling=False) as terminal:
        terminal.expect("up\r\n")
        terminal.type("\x03")
        terminal.expect("st=130\r\n")


def test_a_command_is_hung_up_with_a_terminal_that_is_not_the_session_s(project: Project) -> None:
    command = ["rdo", "sh", "-c", "trap 'echo hung up >there; exit' HUP; echo up; while sleep 0.1; do :; done"]
    with Terminal(command, project.local, project.environment, is_controlling=False) as terminal:
        terminal.expect("up\r\n")
    assert terminal.has_ended()
    assert wait_until((project.remote / "there").exists, 10)


def test_a_job_that_is_stopped_on_such_a_terminal_stops_no_other_process(terminal: Terminal) -> None:
    command = shlex.join([sys.executable, "-c", ON_ANOTHER_TERMINAL])
    terminal.line(f"{command} rdo sh -c 'kill -TSTP $$; echo went on; exit 5'")
    terminal.expect("st=5\r\n")
