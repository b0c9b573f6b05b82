"""Tests for the command as a job on a pty: keys that send signals, stopping and continuing, and the end of the
terminal.
"""

from __future__ import annotations

import os
import signal

from rdo.remote_sh.script import Script
from tests.leaks import wait_until
from tests.processes import group_lives
from tests.unit.remote_sh.shells import NONCE, TIMEOUT, each_shell, each_shell_with_jobs
from tests.unit.remote_sh.terminal import GROUP, READ, line, terminal

STOPPED = line("stopped")
GO_ON = NONCE.encode() + b"\n"


@each_shell_with_jobs
def test_the_group_mark_names_the_process_group_of_the_command(shell: str) -> None:
    # Not `sleep`: dash blocks signals while it forks, and a signal to the group at that moment would miss the child.
    with terminal(shell, Script(["sh", "-c", "echo up; read x; exit 1"])) as started:
        group = int(started.wait_for(GROUP)[1])
        started.wait_for(b"up\r\n")
        os.killpg(group, signal.SIGTERM)
        assert started.end() == (b"", 128 + signal.SIGTERM)


@each_shell
def test_ctrl_c_ends_the_command(shell: str) -> None:
    with terminal(shell, Script(["sh", "-c", "echo up; exec cat"])) as started:
        started.wait_for(b"up\r\n")
        started.write(b"\x03")
        assert started.end() == (b"^C", 128 + signal.SIGINT)


@each_shell
def test_ctrl_c_can_be_trapped_by_the_command(shell: str) -> None:
    with terminal(shell, Script(["sh", "-c", "trap 'exit 7' INT; echo up; while :; do sleep 0.05; done"])) as started:
        started.wait_for(b"up\r\n")
        started.write(b"\x03")
        assert started.end() == (b"^C", 7)


@each_shell_with_jobs
def test_ctrl_z_stops_the_command_and_the_nonce_continues_it_twice(shell: str) -> None:
    script = Script(["sh", "-c", 'echo up; while read -r x; do echo "got $x"; done; exit 6'])
    with terminal(shell, script) as started:
        started.wait_for(b"up\r\n")
        for line, typed in ((b"one", b"not the nonce\n"), (b"two", b"nor a line")):
            started.write(b"\x1a")
            started.wait_for(STOPPED)
            started.write(typed + GO_ON)
            started.wait_for(READ)
            started.write(line + b"\n")
            started.wait_for(b"got " + line + b"\r\n")
            assert started.output == b""
        started.write(b"\x04")
        assert started.end() == (b"", 6)


@each_shell_with_jobs
def test_a_command_that_was_stopped_finds_its_terminal_as_it_left_it(shell: str) -> None:
    with terminal(shell, Script(["sh", "-c", "stty raw -echo; echo up; exec cat"])) as started:
        group = int(started.wait_for(GROUP)[1])
        started.wait_for(b"up\n")
        started.write(b"a")
        started.wait_for(b"a")
        os.killpg(group, signal.SIGTSTP)
        started.wait_for(STOPPED)
        started.write(GO_ON)
        started.wait_for(READ)
        started.write(b"\x03")
        started.wait_for(b"\x03")
        os.killpg(group, signal.SIGTERM)
        assert started.end() == (b"", 128 + signal.SIGTERM)


@each_shell_with_jobs
def test_a_command_that_is_stopped_ends_with_its_terminal(shell: str) -> None:
    with terminal(shell, Script(["cat"])) as started:
        group = int(started.wait_for(GROUP)[1])
        started.write(b"a\n")
        started.wait_for(b"a\r\na\r\n")
        started.write(b"\x1a")
        started.wait_for(STOPPED)
    assert wait_until(lambda: not group_lives(group), TIMEOUT)
