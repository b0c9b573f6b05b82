"""A shell takes one script, once it is ready, and none after it was given up."""

from __future__ import annotations

from typing import cast

import pytest

from rdo.drivers.base import STDOUT, Channel, Chunk
from rdo.pool.shell import ProcessGroup, Shell, ShellState
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

    def read(self, timeout: float) -> Chunk:
        assert self.shell
        first = not self.written
        return Chunk(STDOUT, f"{NONCE} 7 /bin/sh\n".encode() if first else f"{self.shell.secret} 7 \n".encode())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def shell(terminal: Terminal) -> Shell:
    """One that has just been begun."""
    terminal.shell = Shell(cast(Channel, terminal), NONCE, pty=True, plain=False)
    return terminal.shell


def test_one_that_is_ready_takes_one_script(shell: Shell, terminal: Terminal) -> None:
    shell.wait_until_ready()
    assert (shell.state, shell.group) == (ShellState.READY, ProcessGroup(7, 7))
    shell.start(SCRIPT)
    with pytest.raises(RuntimeError, match="from STARTED to STARTED"):
        shell.start(SCRIPT)
    assert len(terminal.written) == 2  # the proof that was asked for, and one script


def test_one_that_is_not_ready_takes_none(shell: Shell, terminal: Terminal) -> None:
    with pytest.raises(RuntimeError, match="from STARTING to STARTED"):
        shell.start(SCRIPT)
    assert not terminal.written


def test_one_that_was_given_up_takes_none_and_may_be_given_up_again(shell: Shell, terminal: Terminal) -> None:
    shell.wait_until_ready()
    for _ in range(2):
        shell.close()
    assert (shell.state, terminal.closed) == (ShellState.CLOSED, True)
    with pytest.raises(RuntimeError, match="from CLOSED to STARTED"):
        shell.start(SCRIPT)
