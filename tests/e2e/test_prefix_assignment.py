"""Tests for `DEBUG=1 rdo make`, which sets a variable only here: one hint, once, and none in unclear cases. With real
shells.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import clients
from tests.conftest import require
from tests.e2e.project import Project, local_project, ssh_project
from tests.e2e.terminal import LINE_START, Terminal
from tests.sshd import Sshd

by_way_of_sh = pytest.mark.skipif(clients.is_native(), reason="the order of variables says enough")
"""For a client that is started by a shell script, which reorders variables."""

PLAIN = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "dash": ["dash", "-i"],
    "zsh": ["zsh", "-f", "-i"],
    "fish": ["fish", "--no-config", "-i"],
    "mksh": ["mksh", "-i"],
    "yash": ["yash", "-i", "--norcfile", "--noprofile"],
    "busybox": ["busybox", "ash", "-i"],
}
KNOWN_AT_ONCE = ("bash", "dash", "zsh", "fish")
"""Shells that are known to set no variables themselves when they are started."""

HINT = "rdo: `DEBUG` is set here and not on the target; to set it there use: rdo -e DEBUG=1 "


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    project = ssh_project(tmp_path, runtime, sshd)
    return Project(project.local, project.remote, {**project.environment, "TERM": "xterm"})


def shell(project: Project, command: list[str], more: Mapping[str, str] | None = None) -> Terminal:
    if shutil.which(command[0]) is None:
        require(command[0], "it is not installed")
    return Terminal(command, project.local, {**project.environment, **(more or {})}, size=(30, 200))


def shown(terminal: Terminal, line: str) -> str:
    """What a line shows up to the output of its command, which reads none of the later input."""
    terminal.line(f"{line} -n printf '%s%s-' e nd")
    return terminal.expect("end-").replace("\r", "")


@pytest.mark.parametrize("name", PLAIN)
def test_a_variable_before_a_later_command_is_reported_once(project: Project, name: str) -> None:
    project.run("true")
    with shell(project, PLAIN[name]) as terminal:
        assert "set here" not in shown(terminal, "rdo")
        assert HINT + "printf %s%s- e nd\n" in shown(terminal, "DEBUG=1 rdo")
        assert "set here" not in shown(terminal, "DEBUG=1 rdo")
        assert "set here" not in shown(terminal, "DEBUG=2 rdo")
        assert re.search("rdo: `[AB]` and `[AB]` are set here", shown(terminal, "A=a B=2 rdo"))  # in the shell's order


def test_it_is_reported_before_a_command_on_the_terminal(project: Project) -> None:
    with shell(project, PLAIN["bash"]) as terminal:
        terminal.line("DEBUG=1 rdo tty")
        assert f"{HINT}tty\n" in terminal.expect("/dev/pts").replace("\r", "")


@pytest.mark.parametrize("name", KNOWN_AT_ONCE)
def test_a_variable_before_the_first_command_is_reported_if_the_shell_reads_no_file(
    project: Project, name: str
) -> None:
    with shell(project, PLAIN[name]) as terminal:
        assert HINT in shown(terminal, "DEBUG=1 rdo")


@pytest.mark.parametrize("name", ["sh", "bash", "zsh"])
def test_a_variable_in_a_shell_string_is_reported(project: Project, name: str) -> None:
    for string in ("DEBUG=1 rdo printf E; true", "sh -c 'A=1 rdo printf E'; true"):
        with shell(project, [name, "-c", string]) as terminal:
            assert "is set here and not on the target" in terminal.match(rf"{LINE_START}E").string


@pytest.mark.parametrize(
    "line",
    ["LANG=C rdo", "TERM=dumb rdo", "RDO_TEST=1 rdo", "KEY=1 rdo", "SEEN=1 rdo -e SEEN", "MAKEFLAGS=k DEBUG=1 rdo",
     "export PATH=$PATH:/x DEBUG=1; rdo", pytest.param("cd src; DEBUG=1 rdo", marks=by_way_of_sh),
     "A=1 B=1 C=1 D=1 rdo", "DEBUG=1 rdo 2>/dev/null"],
)  # fmt: skip
def test_other_and_uncertain_variables_are_not_reported(project: Project, tmp_path: Path, line: str) -> None:
    (tmp_path / "rc").touch()
    text = (project.local / ".rdo.conf").read_text()
    project.configure(f'{text}pass_env = ["KEY"]\n')
    with shell(project, ["bash", "--rcfile", str(tmp_path / "rc"), "-i"]) as terminal:
        shown(terminal, "rdo")
        assert "set here" not in shown(terminal, line)


def test_variables_of_a_start_up_file_or_a_script_are_not_reported(project: Project, tmp_path: Path) -> None:
    (tmp_path / "rc").write_text("export EDITOR=vi\n")
    with shell(project, ["bash", "--rcfile", str(tmp_path / "rc"), "-i"]) as terminal:
        assert "set here" not in shown(terminal, "rdo")
    (tmp_path / "script").write_text("export LEVEL=3\nrdo printf E-\n")
    with shell(project, ["bash", str(tmp_path / "script")]) as terminal:
        assert "set here" not in terminal.expect("E-")


def test_variables_that_an_editor_sets_for_its_commands_are_not_reported(project: Project) -> None:
    project.run("true")
    run = "import os, subprocess; os.environ['VIM'] = '1'; subprocess.run('rdo printf E-', shell=True)"
    with shell(project, [sys.executable, "-c", run]) as terminal:
        assert "set here" not in terminal.expect("E-")


def test_if_the_command_has_the_callers_environment_nothing_is_reported(
    tmp_path: Path, runtime: dict[str, str]
) -> None:
    project = local_project(tmp_path, runtime)
    with shell(project, PLAIN["bash"], {"TERM": "xterm"}) as terminal:
        terminal.line("DEBUG=1 rdo sh -c 'echo $DEBUG-'")
        assert "set here" not in terminal.match(rf"{LINE_START}1-").string
