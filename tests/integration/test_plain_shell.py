"""Tests for whether the login shell of a real server may run a bootstrap itself. Only a spare shell tries it, never a
command.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from rdo.drivers.base import ChannelOptions
from rdo.errors import ConnectError
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell
from rdo.remote_sh.script import Script
from tests.integration.conftest import Connect, MakeServer
from tests.leaks import wait_until
from tests.servers import sshd_alone

TIMEOUT = 20.0
"""Seconds for a command's output."""


@pytest.fixture
def link(own_server: MakeServer, connect: Connect) -> Callable[..., HeldConnection]:
    """Makes a link to a server whose sessions have this SHELL, but run another program."""

    def make(said: str, real: str, before: str = "") -> HeldConnection:
        command = f'export SHELL={said}; {before}exec {real} -c "$SSH_ORIGINAL_COMMAND"'
        server = own_server(command=command).start()
        return HeldConnection(connect(server.ssh_config()))

    return make


def spare_is_plain(link: HeldConnection) -> bool:
    """Whether a spare shell, which may fail, was started in the plain way. Closes it."""
    shell = link.begin_shell(ChannelOptions(), spare=True)
    with suppress(ConnectError):
        link.wait_until_ready(shell)
    close(link, shell)
    return shell.plain


def close(link: HeldConnection, shell: Shell) -> None:
    """End a shell, and wait for that, because some servers refuse a session while another one ends."""
    shell.channel.close()
    left = link._connection._transport.open_channels  # type: ignore[attr-defined]
    assert wait_until(lambda: not len(left), TIMEOUT)


def says(shell: Shell) -> bytes:
    """The output of the shell for a script."""
    shell.start(Script(["echo", "x"]))
    chunk = shell.channel.read(TIMEOUT)
    assert chunk is not None
    return bytes(chunk.data)


@pytest.mark.parametrize("path", ["/bin/sh", "/bin/dash"])
def test_a_plain_one_does_after_a_spare_shell_got_ready_that_way(
    link: Callable[..., HeldConnection], path: str
) -> None:
    made = link(path, path)
    assert not spare_is_plain(made)  # nothing is known yet
    first = made.open_shell(ChannelOptions())
    assert not first.plain  # nothing was tried
    close(made, first)
    assert spare_is_plain(made)
    command = made.open_shell(ChannelOptions())
    assert command.plain
    assert says(command) == b"x\n"


def test_bash_does_not(link: Callable[..., HeldConnection]) -> None:
    made = link("/bin/bash", "bash")
    assert not any(spare_is_plain(made) for _ in range(3))


def test_a_shell_that_writes_to_stderr_does_not(link: Callable[..., HeldConnection]) -> None:
    made = link("/bin/sh", "sh", "echo noise >&2; ")
    assert not any(spare_is_plain(made) for _ in range(3))
    assert says(made.open_shell(ChannelOptions())) == b"x\n"


@sshd_alone("programs that lead their group: others get theirs from /bin/sh, whatever runs that")
@pytest.mark.parametrize("real", ["fish", "tcsh"])
def test_a_shell_that_differs_from_its_name_is_detected_and_not_tried_again(
    link: Callable[..., HeldConnection], real: str
) -> None:
    made = link("/bin/sh", real)
    assert [spare_is_plain(made) for _ in range(3)] == [False, True, False]
    assert says(made.open_shell(ChannelOptions())) == b"x\n"
