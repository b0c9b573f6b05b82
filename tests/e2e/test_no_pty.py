"""Tests for a server that refuses terminals (PermitTTY no): one line reports it, and the command runs without one, as
with ssh.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.project import ssh_project
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

LINE = "rdo: PTY allocation request failed on "


def test_a_command_runs_without_the_terminal_that_the_server_refuses(
    own_sshd: Callable[..., Sshd], tmp_path: Path, runtime: dict[str, str]
) -> None:
    with own_sshd("PermitTTY no") as server:
        project = ssh_project(tmp_path / "project", runtime, server)
        with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
            terminal.expect("$ ")
            for _ in range(3):  # over a fresh shell, and over warm ones
                terminal.line("rdo sh -c 'tty; read x; echo got $x; echo err >&2; exit 7'; echo st=$?")
                terminal.expect(LINE)
                terminal.expect("not a tty\r\n")
                terminal.line("typed")  # echoed by the caller's own terminal
                assert LINE not in terminal.expect("typed\r\ngot typed\r\n")
                terminal.expect("err\r\n")
                terminal.expect("st=7\r\n")
                terminal.prompt()
            terminal.line("rdo sleep 20")
            terminal.expect(LINE)
            terminal.type("\x03")
            terminal.prompt()
            terminal.line("echo st=$?")
            terminal.expect("st=130\r\n")
            terminal.prompt()
            terminal.line("rdo; echo st=$?")  # the login shell
            terminal.expect(LINE)
            terminal.line("echo $((40 + 2)); exit 3")
            terminal.expect("42\r\n")
            terminal.expect("st=3\r\n")
