"""Tests for allowing a `.rdo.conf`, on the terminal or by `rdoctl allow`, and for denying it again."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, Result, local_project
from tests.e2e.terminal import LINE_START, Terminal

pytestmark = pytest.mark.usefixtures("lent")

NOT_ALLOWED = b"is not allowed yet"


@pytest.fixture
def project(runtime: dict[str, str]) -> Iterator[Project]:
    """A local project that nobody has allowed. Its paths are short, because a question shows them in full."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        untrusting = {name: value for name, value in runtime.items() if name != "RDO_TRUST"}
        yield local_project(Path(directory).resolve(), untrusting)


def rdo(project: Project, *words: str) -> Result:
    """Run rdo without a terminal."""
    return project.run(*(words or ("true",)), start_new_session=True)


def rdoctl(project: Project, words: str) -> str:
    """The output of `rdoctl WORDS` without a terminal."""
    result = project.shell(f"rdoctl {words}", start_new_session=True)
    assert (result.returncode, result.stderr) == (0, b"")
    return result.stdout.decode()


def append(project: Project, line: str) -> None:
    with open(project.local / ".rdo.conf", "a") as config:
        config.write(line + "\n")


def test_it_is_used_after_its_values_were_shown_and_allowed(project: Project) -> None:
    assert NOT_ALLOWED in rdo(project).stderr
    lines = rdoctl(project, "allow --yes").splitlines()
    assert lines == [
        f"`{project.local}/.rdo.conf`, profile `default`, asks for:",
        '  driver = "local"',
        f'  directory = "{project.remote}"',
        f"allowed: profile `default` of `{project.local}/.rdo.conf`",
    ]
    assert rdo(project).returncode == 0


@pytest.mark.both_clients
@pytest.mark.parametrize("name", [".rdo.conf", ".rdo.local.conf"])
def test_whether_others_can_change_a_file_is_checked_each_time(project: Project, name: str) -> None:
    path = project.local / name
    path.touch()
    rdoctl(project, "allow --yes")
    for _ in range(2):
        path.chmod(0o666)
        assert f"{name}: can be written by everyone; `chmod go-w " in rdo(project).stderr.decode()
        path.chmod(0o644)
        assert (rdo(project).returncode, rdo(project).stderr) == (0, b"")


@pytest.mark.parametrize("line", ["use_sudo = true", 'pass_env = ["X"]'])
def test_a_guarded_key_that_changes_is_asked_about_again(project: Project, line: str) -> None:
    rdoctl(project, "allow --yes")
    append(project, line)
    result = rdo(project)
    assert result.returncode == 255
    assert result.stderr.endswith(b"is not allowed yet: it has changed; type `rdoctl allow`\n")


def test_after_a_change_allow_asks_on_the_terminal_about_the_difference(project: Project) -> None:
    append(project, 'pass_env = ["A"]')
    rdoctl(project, "allow --yes")
    path = project.local / ".rdo.conf"
    path.write_text(path.read_text().replace('["A"]', '["A", "B"]'))
    with Terminal(["rdoctl", "allow"], project.local, project.environment) as terminal:
        shown = terminal.expect("Type `yes`: ")
        terminal.line("yes")
        terminal.expect("allowed: ")
    assert "has changed since you allowed it:\r\n" in shown
    assert '\r\n  - pass_env = ["A"]\r\n  + pass_env = ["A", "B"]\r\n  (2 more values) as before\r\n' in shown
    assert "driver" not in shown
    assert rdo(project).returncode == 0


def test_one_byte_of_a_guarded_value_is_a_change(project: Project) -> None:
    append(project, 'pass_env = ["AB"]')
    rdoctl(project, "allow --yes")
    assert rdo(project).returncode == 0
    path = project.local / ".rdo.conf"
    path.write_text(path.read_text().replace('"AB"', '"AC"'))
    assert NOT_ALLOWED in rdo(project).stderr
    path.write_text(path.read_text().replace('"AC"', '"AB"'))
    assert rdo(project).returncode == 0


@pytest.mark.parametrize("line", ["map_args = false", 'idle_timeout = "8h"', "# a remark"])
def test_a_harmless_change_is_not_asked_about(project: Project, line: str) -> None:
    rdoctl(project, "allow --yes")
    append(project, line)
    assert rdo(project).returncode == 0


def test_it_is_asked_on_the_terminal_whatever_the_streams_are_and_only_once(project: Project) -> None:
    environment = {**project.environment, "PS1": "$ "}
    with Terminal(["bash", "--norc", "-i"], project.local, environment, size=(30, 300)) as terminal:  # for a long path
        terminal.prompt()
        terminal.line("rdo echo one </dev/null 2>/dev/null | cat")
        shown = terminal.expect("Type `yes`: ")
        assert f'\r\n  directory = "{project.remote}"\r\n' in shown
        terminal.line("yes")
        terminal.match(rf"{LINE_START}one\r\n")
        terminal.prompt()
        terminal.line("rdo echo two")
        assert "Type" not in terminal.match(rf"{LINE_START}two\r\n").string
        terminal.prompt()
    assert rdo(project).returncode == 0


def test_any_other_answer_runs_nothing(project: Project) -> None:
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.prompt()
        terminal.line("rdo touch made; echo status $?")
        terminal.expect("Type `yes`: ")
        terminal.line("y")
        terminal.expect("Type `yes` or `no`: ")
        terminal.line("no")
        terminal.expect("is not allowed yet")
        terminal.expect("status 255")
    assert not (project.remote / "made").exists()
    assert NOT_ALLOWED in rdo(project).stderr


def test_allow_without_a_terminal_says_what_to_type(project: Project) -> None:
    result = project.shell("rdoctl allow", start_new_session=True)
    assert result.returncode == 255
    expected = "there is no terminal to ask on; look at the file and type `rdoctl allow --yes`"
    assert result.stderr.decode() == f"rdoctl: nothing was allowed: {expected}\n"


def test_a_profile_is_allowed_by_its_name(project: Project) -> None:
    append(project, "[other]\nuse_sudo = false")
    rdoctl(project, "allow --yes")
    assert rdo(project, "-p", "other", "true").stderr.endswith(b"; type `rdoctl allow -p other`\n")
    rdoctl(project, "allow --yes -p other")
    assert rdo(project, "-p", "other", "true").returncode == 0


def test_profiles_with_the_same_values_are_allowed_and_denied_at_once(project: Project) -> None:
    append(project, "[quiet]\nmap_args = false\n[root]\nuse_sudo = true")
    rdoctl(project, "allow --yes")
    assert rdo(project, "-p", "quiet", "true").returncode == 0
    assert NOT_ALLOWED in rdo(project, "-p", "root", "true").stderr
    assert rdoctl(project, "deny -p quiet") == f"denied: profile `default` of `{project.local}/.rdo.conf`\n"
    for profile in ("default", "quiet"):
        assert NOT_ALLOWED in rdo(project, "-p", profile, "true").stderr


def test_deny_revokes_it_and_ends_the_held_connection(project: Project) -> None:
    rdoctl(project, "allow --yes")
    assert rdo(project).returncode == 0
    assert rdoctl(project, "deny") == f"denied: profile `default` of `{project.local}/.rdo.conf`\n"
    assert NOT_ALLOWED in rdo(project).stderr
    assert rdoctl(project, "deny").startswith("was not allowed: ")


def test_the_list_shows_what_is_allowed_since_when_and_what_has_changed(project: Project) -> None:
    assert rdoctl(project, "allow --list") == "nothing is allowed yet\n"
    rdoctl(project, "allow --yes")
    path = f"{project.local}/.rdo.conf"
    today = time.strftime("%Y-%m-%d")
    assert rdoctl(project, "allow --list") == f"{today}  allowed  default  {path}\n"
    append(project, "use_sudo = true")
    assert "  changed since  " in rdoctl(project, "allow --list")
    append(project, "nonsense = true")
    assert "  in error  " in rdoctl(project, "allow --list")
    (project.local / ".rdo.conf").unlink()
    assert "  gone  " in rdoctl(project, "allow --list")


def test_the_file_that_init_wrote_is_allowed(project: Project) -> None:
    (project.local / ".rdo.conf").unlink()
    rdoctl(project, f'init --driver local --directory "{project.remote}"')
    assert rdo(project).returncode == 0
    assert "\nTrust\n  allowed\n" in rdoctl(project, "explain true")


def test_the_users_own_file_needs_no_permission(project: Project) -> None:
    directory = Path(project.environment["XDG_CONFIG_HOME"], "rdo")
    directory.mkdir()
    (project.local / ".rdo.conf").rename(directory / "config.toml")
    project.configure("map_args = false\n")
    assert rdo(project).returncode == 0
    assert rdoctl(project, "allow").endswith("needs nothing that has to be allowed\n")


def test_the_bypass_applies_only_to_its_command(project: Project) -> None:
    assert project.run("true", env={"RDO_TRUST": "1"}, start_new_session=True).returncode == 0
    assert NOT_ALLOWED in rdo(project).stderr


def test_a_config_that_everyone_can_write_is_refused_by_name(project: Project) -> None:
    (project.local / ".rdo.conf").chmod(0o666)
    result = project.run("true", env={"RDO_TRUST": "1"}, start_new_session=True)
    assert result.returncode == 255
    assert result.stderr.startswith(f"rdo: {project.local}/.rdo.conf: can be written by everyone; ".encode())


def test_a_config_that_everyone_can_write_is_used_after_that_was_accepted(project: Project) -> None:
    """As on file systems without modes: those of WSL or VirtualBox."""
    config = project.local / ".rdo.conf"
    config.chmod(0o777)
    assert b"`rdoctl allow` to accept it anyway" in rdo(project).stderr
    assert f"  {config} = can be written by everyone (uid" in rdoctl(project, "allow --yes")
    assert rdo(project).returncode == 0
    append(project, "use_sudo = true")
    assert NOT_ALLOWED not in rdo(project).stderr
    assert b"can be written by everyone" in rdo(project).stderr
    rdoctl(project, "allow --yes")
    assert rdo(project, "--version").returncode == 0
    rdoctl(project, "deny")
    assert b"can be written by everyone" in rdo(project).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_checkout_of_another_user_can_be_used_after_that_was_accepted(project: Project) -> None:
    os.chown(project.local / ".rdo.conf", 54321, -1)
    rdoctl(project, "allow --yes")
    assert rdo(project).returncode == 0
    os.chown(project.local / ".rdo.conf", 54322, -1)
    append(project, "# so that the master loads it again")
    assert b"belongs to another user (uid 54322)" in rdo(project).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to somebody else")
def test_a_config_above_that_belongs_to_another_user_is_refused_by_name(project: Project) -> None:
    os.chown(project.local / ".rdo.conf", 54321, -1)
    result = project.run("true", cwd="src", env={"RDO_TRUST": "1"}, start_new_session=True)
    assert result.returncode == 255
    expected = f"rdo: {project.local}/.rdo.conf: belongs to another user (uid 54321); "
    assert result.stderr.startswith(expected.encode())
