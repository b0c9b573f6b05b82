"""Tests for `DEBUG=1 rdo make` as the first command of a bash with a start-up file, recognized by the order of
variables.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, ssh_project
from tests.e2e.terminal import Terminal
from tests.native.clients import NATIVE
from tests.sshd import Sshd

RC = """
PS1='ready$ '
export EDITOR=vi PAGER=less GOPATH=~/go LESS=-R HISTSIZE=100
with.dots() { :; }
shown() { :; }
export -f shown
wrapped() { rdo "$@"; }
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    project = ssh_project(tmp_path, runtime, sshd)
    path = os.pathsep.join((str(Path(NATIVE[0]).parent), project.environment["PATH"]))
    return Project(project.local, project.remote, {**project.environment, "PATH": path, "A.B": "1"})


@pytest.fixture
def terminal(project: Project) -> Iterator[Terminal]:
    if shutil.which("bash") is None:
        require("bash", "it is not installed")
    (project.local / "rc").write_text(RC)
    with Terminal(["bash", "--rcfile", "rc", "-i"], project.local, project.environment, size=(30, 200)) as terminal:
        terminal.expect("ready$ ")
        yield terminal


def shown(terminal: Terminal, line: str) -> str:
    """What a line shows up to the output of its command, which reads none of the later input."""
    terminal.line(f"{line} -n printf '%s%s-' e nd")
    return terminal.expect("end-").replace("\r", "")


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("ZDEBUG=1 rdo", "`ZDEBUG` is set here and not on the target; to set it there use: rdo -e ZDEBUG=1 printf"),
        ("EDITOR=1 rdo", "`EDITOR` is set here and not on the target; to set it there use: rdo -e EDITOR=1 printf"),
        ("ZDEBUG=1 wrapped", "`ZDEBUG` is set here and not on the target; to set it there use: rdo -e ZDEBUG=1 printf"),
    ],
)
def test_a_variable_before_the_first_command_is_reported_once(terminal: Terminal, line: str, hint: str) -> None:
    assert hint in shown(terminal, line)
    assert "set here" not in shown(terminal, line)


@pytest.mark.parametrize("line", ["rdo", "export ZDEBUG=1; rdo", "cd .; rdo", "LC_ALL=C rdo", "env ZDEBUG=1 rdo"])
def test_other_variables_are_not_reported(terminal: Terminal, line: str) -> None:
    assert "set here" not in shown(terminal, line)
