"""Tests for a shell: it accepts one script when it is ready, and none after it was given up."""

from __future__ import annotations

from typing import cast

import pytest

from rdo.drivers.base import STDOUT, Channel, ChannelOptions, Chunk, Connection
from rdo.pool.shell import ProcessGroup, Shell, ShellState, begin_shell
from rdo.remote_sh.script import Script

NONCE = "abc"

SCRIPT = Script(command=("true",))


class Terminal:
    """The channel of a shell that gets ready as it should."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False
        self.shell: Shell | None = None

    def write(self, data: bytes) -> None:
        self.written.append(data)

    write_first = write

    def read(self, timeout: float) -> Chunk:
        assert self.shell
        first = not self.written
        return Chunk(STDOUT, f"{NONCE} 7 /bin/sh\n".encode() if first else f"{self.shell.secret} 7 \n".encode())

    def close(self) -> None:
        self.closed = True


class Beginning:
    """A connection whose only channel is that one."""

    leads_process_group = True

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def open_channel(self, *_: object) -> Terminal:
        return self._terminal


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def shell(terminal: Terminal) -> Shell:
    """A shell that has just been started."""
    terminal.shell = Shell(cast(Channel, terminal), NONCE, pty=True, plain=False)
    return terminal.shell


def test_a_ready_shell_accepts_one_script(shell: Shell, terminal: Terminal) -> None:
    shell.wait_until_ready()
    assert (shell.state, shell.group) == (ShellState.READY, ProcessGroup(7, 7))
    shell.start(SCRIPT)
    with pytest.raises(RuntimeError, match="from STARTED to STARTED"):
        shell.start(SCRIPT)
    assert len(terminal.written) == 2  # the requested proof, and one script


def test_a_quiet_shell_is_asked_for_its_proof_at_its_start(terminal: Terminal) -> None:
    shell = begin_shell(cast(Connection, Beginning(terminal)), ChannelOptions(), plain=True)
    terminal.shell = shell
    assert len(terminal.written) == 1
    shell.wait_until_ready()
    assert (shell.group, len(terminal.written)) == (ProcessGroup(7, 7), 1)


def test_a_shell_that_may_read_start_up_files_is_sent_nothing_at_its_start(terminal: Terminal) -> None:
    begin_shell(cast(Connection, Beginning(terminal)), ChannelOptions(), plain=False)
    assert not terminal.written


def test_a_shell_that_is_not_ready_accepts_no_script(shell: Shell, terminal: Terminal) -> None:
    with pytest.raises(RuntimeError, match="from STARTING to STARTED"):
        shell.start(SCRIPT)
    assert not terminal.written


def test_a_shell_that_was_given_up_accepts_no_script_and_may_be_given_up_again(
    shell: Shell, terminal: Terminal
) -> None:
    shell.wait_until_ready()
    for _ in range(2):
        shell.close()
    assert (shell.state, terminal.closed) == (ShellState.CLOSED, True)
    with pytest.raises(RuntimeError, match="from CLOSED to STARTED"):
        shell.start(SCRIPT)
