"""Tests for one control master for each user, and one login for each host, whatever the config files say."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.masters import logins, masters, report
from tests.e2e.project import TIMEOUT, Project, ssh_config_text
from tests.e2e.terminal import LINE_START, Terminal
from tests.keys import make_key
from tests.leaks import wait_until
from tests.sshd import Sshd


@pytest.fixture
def before(project: Project, sshd: Sshd) -> int:
    """The number of logins so far, after a first command."""
    count = logins(sshd)
    assert project.run("true").returncode == 0
    return count


def other_project(project: Project, name: str = "other") -> Project:
    """Another project on the same host."""
    local = project.local.parent / name
    local.mkdir()
    other = Project(local, project.remote, project.environment)
    other.configure(ssh_config_text(other))
    return other


def test_profiles_that_differ_only_in_settings_of_commands_share_a_login(
    project: Project, sshd: Sshd, before: int
) -> None:
    profiles = {
        "stage": 'env = { STAGE = "ci" }', "below": f'directory = "{project.remote}/src"', "shell": "login = true",
        "keep": 'on_disconnect = "keep"', "mapped": "map_output = true", "idle": 'idle_timeout = "2h"',
    }  # fmt: skip
    project.configure(ssh_config_text(project, "".join(f"[{name}]\n{line}\n" for name, line in profiles.items())))
    for name in profiles:
        assert project.run("-p", name, "echo", "x").stdout == b"x\n", name
    assert project.run("-p", "stage", "sh", "-c", "echo $STAGE").stdout == b"ci\n"
    assert project.run("sh", "-c", "echo ${STAGE-unset}").stdout == b"unset\n"
    assert project.run("-p", "below", "pwd").stdout == f"{project.remote}/src\n".encode()
    assert (logins(sshd) - before, len(masters(project))) == (1, 1)
    (target,) = report(project)["targets"]
    assert (target["idle_timeout"], len(target["profiles"])) == (7200, 7)


def test_a_nested_project_and_a_second_one_on_the_host_share_a_login(project: Project, sshd: Sshd, before: int) -> None:
    (project.local / "src" / ".rdo.conf").write_text(ssh_config_text(project).replace("target's", "target's/src"))
    assert project.run("pwd", cwd="src").stdout == f"{project.remote}/src\n".encode()
    assert other_project(project).run("pwd").stdout == f"{project.remote}\n".encode()
    assert (logins(sshd) - before, len(masters(project))) == (1, 1)


@pytest.mark.parametrize("change", ["# a comment\n", "map_args = false\n", 'env = { A = "b" }\n'])
def test_a_change_of_the_config_costs_no_login(project: Project, sshd: Sshd, before: int, change: str) -> None:
    (master,) = masters(project)
    project.configure(ssh_config_text(project, change))
    assert project.run("true").returncode == 0
    assert (logins(sshd) - before, masters(project)) == (1, [master])


def test_different_names_of_a_host_share_a_login(project: Project, sshd: Sshd, before: int) -> None:
    config = Path(project.environment["RDO_SSH_CONFIG"])
    text = config.read_text()
    both = project.local.parent / "both"
    both.write_text(text + text.replace("devbox", "alias"))
    environment = {**project.environment, "RDO_SSH_CONFIG": str(both)}
    for host in ("devbox", "alias"):
        other = Project(project.local, project.remote, environment)
        other.configure(ssh_config_text(project).replace("devbox", host))
        assert other.run("echo", host).stdout == f"{host}\n".encode()
    assert logins(sshd) - before == 1
    assert len(report(project)["targets"]) == 1


def test_another_identity_or_user_is_another_login(project: Project, sshd: Sshd, before: int) -> None:
    key = make_key(project.local.parent / "key")
    sshd.authorize(key)
    project.configure(ssh_config_text(project, f'identity = "{key}"\n'))
    assert project.run("true").returncode == 0
    assert logins(sshd) - before == 2
    assert len(report(project)["targets"]) == 2


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[list[str]]:
    """The sockets of two agents."""
    with subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "a"], stdout=-3) as one:
        with subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "b"], stdout=-3) as other:
            assert wait_until(lambda: all((tmp_path / name).exists() for name in "ab"), TIMEOUT)
            yield [str(tmp_path / name) for name in "ab"]
            other.terminate()
        one.terminate()


@pytest.mark.parametrize(
    ("named", "variable"),
    [("SSH_AUTH_SOCK", "SSH_AUTH_SOCK"), ("$OWN_AGENT", "OWN_AGENT"), ("${OWN_AGENT}", "OWN_AGENT")],
)
def test_each_caller_has_its_own_agent(
    project: Project, sshd: Sshd, agents: list[str], named: str, variable: str
) -> None:
    config = sshd.ssh_config(extra=[f"IdentityAgent {named}"], name="by_agent")
    before = logins(sshd)
    for socket in (*agents, *agents):
        environment = {variable: socket, "RDO_SSH_CONFIG": str(config)}
        assert project.run("true", env=environment).returncode == 0
    assert logins(sshd) - before == 2
    assert len(masters(project)) == 1


def test_a_key_named_by_a_variable_is_not_used_for_callers_who_name_another(project: Project, sshd: Sshd) -> None:
    config = sshd.ssh_config(extra=["IdentityFile ${KEYS}/key"], name="by_variable")
    config.write_text(config.read_text().replace(f"IdentityFile {sshd.client_key}", ""))
    (project.local / "key").symlink_to(sshd.client_key)
    environment = {"RDO_SSH_CONFIG": str(config), "KEYS": str(project.local)}
    assert project.run("true", env=environment).returncode == 0
    refused = project.run("true", env={**environment, "KEYS": "/nowhere"})
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert project.run("true", env=environment).returncode == 0


@pytest.mark.parametrize("decides", ["variable", "directory"])
def test_match_exec_is_evaluated_for_each_caller(project: Project, sshd: Sshd, decides: str) -> None:
    (project.local / "below" / "vpn").mkdir(parents=True)
    (project.remote / "below").mkdir()
    condition = {"variable": "test x$VPN = x1", "directory": "test -e vpn"}[decides]
    config = sshd.ssh_config(name="by_exec")
    config.write_text(f'Match exec "{condition}"\n  User nobody-here\n{config.read_text()}')
    environment = {"RDO_SSH_CONFIG": str(config)}
    for _ in range(2):
        assert project.run("true", env={**environment, "PWD": str(project.local)}).returncode == 0
        there = {"PWD": str(project.local / "below"), "VPN": "1"}
        other = project.run("true", env={**environment, **there}, cwd="below")
        assert (other.returncode, other.stdout) == (255, b"")
        assert b"nobody-here" in other.stderr


def test_clients_notice_a_dead_master_at_once_and_replace_it(project: Project) -> None:
    with project.start("-T", "sh", "-c", "echo up; sleep 60") as running:
        running.expect_up()
        (master,) = masters(project)
        os.kill(master, signal.SIGKILL)
        assert running.wait(5) == 255
        assert running.communicate()[1].startswith(
            b"rdo: the command was lost: the control master exited or ended it; "
        )
    assert project.run("echo", "x").stdout == b"x\n"


def test_the_log_says_what_was_connected_and_why_it_was_closed(project: Project) -> None:
    assert project.run("echo", "a secret").returncode == 0
    project.configure(ssh_config_text(project, 'env = { TOKEN = "hidden" }\n'))
    assert project.run("true").returncode == 0
    assert project.shell("rdoctl stop").stdout == b"closed `devbox`\n"
    text = project.shell("rdoctl log").stdout.decode()
    for words in ("started: rdo ", "connected to `devbox` in ", "` again\n", "closed a connection to `devbox`: "):
        assert words in text
    assert "secret" not in text
    assert "hidden" not in text
    assert project.shell("rdoctl log -n 1").stdout.count(b"\n") == 1


def test_a_log_that_was_deleted_is_created_again(project: Project) -> None:
    assert project.run("true").returncode == 0
    os.unlink(Path(project.environment["XDG_RUNTIME_DIR"], "rdo", "control.log"))
    assert project.shell("rdoctl stop").stdout == b"closed `devbox`\n"
    (line,) = project.shell("rdoctl log").stdout.decode().splitlines()
    assert " closed a connection to `devbox`: " in line


def test_the_log_can_be_followed(project: Project) -> None:
    assert project.run("true").returncode == 0
    with subprocess.Popen(
        ["bash", "-c", "exec rdoctl log -f"], cwd=project.local, env=dict(project.environment), stdout=-1
    ) as follow:
        assert follow.stdout
        project.shell("rdoctl stop")
        assert any(b"closed a connection to `devbox`" in line for line in follow.stdout)
        follow.terminate()


def test_following_the_log_ends_when_nobody_reads_the_output(project: Project) -> None:
    assert project.run("true").returncode == 0
    assert project.shell("rdoctl log -f | head -n 1").stdout.count(b"\n") == 1


def test_ctrl_c_ends_a_loop_that_follows_the_log(project: Project, terminal: Terminal) -> None:
    assert project.run("true").returncode == 0
    terminal.line("for i in 1 2 3; do rdoctl log -f; done; echo st=$?")
    terminal.expect("connected to `devbox`")
    terminal.type("\x03")
    terminal.prompt()
    terminal.line("echo out")
    assert "st=" not in terminal.match(rf"{LINE_START}out\r\n").string


def test_a_missing_log_is_reported(project: Project) -> None:
    result = project.shell("rdoctl log")
    assert (result.returncode, result.stderr) == (255, b"rdoctl: there is no log yet; the next `rdo` starts one\n")
