"""Tests for a master that does not accept a command, or exits with it: what the next one is asked, and what it never
is.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.e2e.masters import masters
from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until

KEY = "rdo sh -c 'stty -icanon min 1 -echo; echo up; dd bs=1 count=1 2>/dev/null | od -An -c; stty sane'"
"""Needs no Enter if the keys reach it as they are typed."""


def test_a_command_on_a_terminal_gets_every_key_right_after_its_config_was_touched(
    terminal: Terminal, project: Project
) -> None:
    config = project.local / ".rdo.conf"
    terminal.line("rdo true; echo st=$?")
    terminal.expect("st=0\r\n")
    for number in range(3):
        terminal.prompt()
        config.write_text(f"{config.read_text()}# {number}\n")
        terminal.line(KEY)
        terminal.expect("up\r\n")
        terminal.type("x")
        assert "x" not in terminal.expect("   x\r\n").removesuffix("   x\r\n")


def test_a_command_whose_master_is_killed_while_connecting_is_not_tried_again(project: Project, tmp_path: Path) -> None:
    dialed = tmp_path / "dialed"
    ssh = Path(project.environment["RDO_SSH_CONFIG"])
    own = tmp_path / "ssh_config"
    own.write_text(f"Host devbox\n  ProxyCommand sh -c 'echo x >>{dialed}; exec cat >/dev/null'\n{ssh.read_text()}")
    project = Project(project.local, project.remote, {**project.environment, "RDO_SSH_CONFIG": str(own)})
    project.configure(ssh_config_text(project))
    with project.start("touch", "started") as command:
        assert wait_until(lambda: dialed.exists() and masters(project), TIMEOUT)
        for master in masters(project):
            os.kill(master, signal.SIGKILL)
        said = command.communicate(timeout=TIMEOUT)[1].decode()
    assert (command.returncode, said.count("\n")) == (255, 1)
    assert said.startswith("rdo: the command was not started: the control master exited; try again; `/")
    assert dialed.read_text() == "x\n"
    assert not (project.remote / "started").exists()
