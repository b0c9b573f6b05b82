"""Tests for questions of a login, which are asked on the caller's terminal while the first command waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.project import Project, local_project, ssh_project
from tests.e2e.terminal import LINE_START, Terminal
from tests.keys import make_key
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

SECRET = "open sesame"


def locked_project(tmp_path: Path, runtime: dict[str, str], server: Sshd) -> Project:
    """A project whose key has a passphrase."""
    key = make_key(tmp_path / "locked", passphrase=SECRET)
    server.authorize(key)
    project = ssh_project(tmp_path, runtime, server)
    config = server.ssh_config(extra=[f"IdentityFile {key}"], name="ssh_config_locked")
    config.write_text("\n".join(line for line in config.read_text().split("\n") if str(server.client_key) not in line))
    return Project(project.local, project.remote, {**project.environment, "RDO_SSH_CONFIG": str(config)})


def test_a_passphrase_is_asked_for_once_and_never_shown(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    project = locked_project(tmp_path, runtime, sshd)
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("rdo echo one < /dev/null | cat")
        terminal.match("(?i)passphrase.*: ?$")
        terminal.line(SECRET)
        shown = terminal.match(rf"{LINE_START}one\r\n").string
        assert SECRET not in shown
        terminal.prompt()
        terminal.line("rdo echo two; stty -a | grep -o ' echo '")
        assert "assphrase" not in terminal.match(rf"{LINE_START}two\r\n").string
        terminal.expect(" echo ")


def test_ctrl_c_at_a_question_gives_up_and_leaves_the_terminal_as_it_was(
    tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    project = locked_project(tmp_path, runtime, sshd)
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("rdo echo one")
        terminal.match("(?i)passphrase.*: ?$")
        terminal.type("\x03")
        terminal.prompt()
        terminal.line("echo st=$?; stty -a | grep -o ' echo '")
        terminal.expect("st=130\r\n")
        terminal.expect(" echo ")


@pytest.mark.both_clients
@pytest.mark.parametrize("answers", [[], ["y"]], ids=["first", "second"])
def test_ctrl_c_gives_up_if_nothing_else_is_shown(tmp_path: Path, runtime: dict[str, str], answers: list[str]) -> None:
    untrusting = {name: value for name, value in runtime.items() if name != "RDO_TRUST"}
    project = local_project(tmp_path, {**untrusting, "PS1": "$ "})
    with Terminal(["bash", "--norc", "-i"], project.local, project.environment) as terminal:
        terminal.prompt()
        terminal.line("rdo touch made")
        terminal.expect("Type `yes`: ")
        for answer in answers:
            terminal.line(answer)
            terminal.expect("Type `yes` or `no`: ")
        terminal.type("\x03")
        terminal.prompt()
        terminal.line("echo st=$?")
        terminal.expect("st=130\r\n")
    assert not (project.remote / "made").exists()


def test_without_a_terminal_the_error_says_what_to_do(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    project = locked_project(tmp_path, runtime, sshd)
    result = project.run("true", start_new_session=True)
    assert result.returncode == 255
    assert result.stderr.count(b"\n") <= 2
    assert b"ssh-add" in result.stderr


def test_an_unknown_host_key_is_asked_about_and_recorded(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    known = tmp_path / "known_hosts"
    project = ssh_project(tmp_path, runtime, sshd)
    config = sshd.ssh_config(extra=[f"UserKnownHostsFile {known}"], name="ssh_config_unknown")
    asking = Project(project.local, project.remote, {**project.environment, "RDO_SSH_CONFIG": str(config)})
    refused = asking.run("true", start_new_session=True)
    assert refused.returncode == 255
    assert not known.exists()
    with Terminal(["bash", "--norc", "-i"], asking.local, {**asking.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("rdo echo one")
        terminal.match(r"SHA256:\S+")
        terminal.line("yes")
        terminal.match(rf"{LINE_START}one\r\n")
    assert f"[127.0.0.1]:{sshd.port}" in known.read_text()
    assert asking.run("true", start_new_session=True).returncode == 0


def test_without_a_terminal_a_program_may_ask(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    project = locked_project(tmp_path, runtime, sshd)
    program = tmp_path / "ask"
    program.write_text(f'#!/bin/sh\necho "$1" >>"$PWD/asked"\necho "{SECRET}"\n')
    program.chmod(0o755)
    result = project.run("-v", "echo", "in", env={"SSH_ASKPASS": str(program), "DISPLAY": ":9"}, start_new_session=True)
    assert (result.returncode, result.stdout) == (0, b"in\n")
    assert (project.local / "asked").read_text() == f"Enter passphrase for key '{tmp_path / 'locked'}': \n"
