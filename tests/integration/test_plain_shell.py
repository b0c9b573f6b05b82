"""Whether the login shell of a real server may run a bootstrap itself: a spare shell tries it, never a command."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from rdo.drivers.base import Opening
from rdo.errors import ConnectError
from rdo.link import Link
from rdo.remote_sh.render import Script
from rdo.shell import Shell
from tests.integration.conftest import Connect
from tests.sshd import Sshd

BOUND = 20.0
"""Seconds for a command's output."""


@pytest.fixture
def link(own_sshd: Callable[..., Sshd], connect: Connect) -> Callable[..., Link]:
    """Makes a link to a server whose sessions have this SHELL, and are run by that program."""

    def make(said: str, real: str, before: str = "") -> Link:
        command = f'{before}exec {real} -c "$SSH_ORIGINAL_COMMAND"'
        server = own_sshd(f"SetEnv SHELL={said}", f"ForceCommand {command}").start()
        return Link(connect(server.ssh_config()), login=False)

    return make


def spare(link: Link) -> Shell:
    """A spare shell, which may not get ready."""
    shell = link.begin_shell(Opening(), spare=True)
    with suppress(ConnectError):
        link.wait_until_ready(shell)
    return shell


def says(shell: Shell) -> bytes:
    """What the shell says when told to."""
    shell.start(Script(["echo", "x"]))
    chunk = shell.channel.read(BOUND)
    assert chunk is not None
    return bytes(chunk.data)


@pytest.mark.parametrize("path", ["/bin/sh", "/bin/dash"])
def test_a_plain_one_does_once_a_spare_shell_got_ready_that_way(link: Callable[..., Link], path: str) -> None:
    made = link(path, path)
    assert not spare(made).plain  # nothing is known yet
    assert not made.open_shell(Opening()).plain  # nothing was tried
    tried = spare(made)
    assert tried.plain
    assert says(tried) == b"x\n"
    command = made.open_shell(Opening())
    assert command.plain
    assert says(command) == b"x\n"


def test_bash_does_not(link: Callable[..., Link]) -> None:
    made = link("/bin/bash", "bash")
    assert not any(spare(made).plain for _ in range(3))


def test_one_that_makes_noise_on_stderr_does_not(link: Callable[..., Link]) -> None:
    made = link("/bin/sh", "sh", "echo noise >&2; ")
    assert not any(spare(made).plain for _ in range(3))
    assert says(made.open_shell(Opening())) == b"x\n"


@pytest.mark.parametrize("real", ["fish", "tcsh"])
def test_one_that_is_not_what_it_is_said_to_be_is_found_out_and_tried_no_more(
    link: Callable[..., Link], real: str
) -> None:
    made = link("/bin/sh", real)
    assert [spare(made).plain for _ in range(3)] == [False, True, False]
    assert says(made.open_shell(Opening())) == b"x\n"
