"""Tests for `local_fallback`: the local tool runs only if there is no connection."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e import masters
from tests.e2e.project import Project, Result, ssh_config_text, ssh_project
from tests.e2e.shims import BARE, add, bare, call
from tests.leaks import wait_until
from tests.sshd import Sshd, find_sshd

TIMEOUT = 10.0
"""Seconds for a master to notice that its connections were cut."""

TOOL = '#!/bin/sh\nprintf "local <%s>" "$@"; echo " in $(pwd)"; cat; exit 9\n'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """A server that the test may stop."""
    if find_sshd() is None:
        require("ssh", "sshd is not installed")
    with Sshd(tmp_path / "sshd") as started:
        yield started


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], server: Sshd) -> Project:
    """A project with the key set, whose tool `tool` is on both sides, and a shim for it."""
    project = ssh_project(tmp_path, runtime, server, f'local_fallback = true\npath = ["{tmp_path}/there"]\n')
    for directory, text in {"here": TOOL, "there": "#!/bin/sh\necho there; exit ${1-0}\n"}.items():
        (tmp_path / directory).mkdir()
        (tmp_path / directory / "tool").write_text(text)
        (tmp_path / directory / "tool").chmod(0o755)
    add(project, "tool", "sh", "nowhere")
    return project


def connections(project: Project) -> int:
    """The number of connections that the master believes to hold."""
    (target,) = masters.report(project)["targets"]
    return int(target["connections"])


def run(project: Project, name: str, *words: str, **more: object) -> Result:
    """Call a shim. Local tools are in a directory after the shims in PATH."""
    path = f"{project.local}/.rdo/bin:{project.local.parent}/here:{BARE}"
    return call(project, name, *words, env={"PATH": path}, **more)


def test_the_local_tool_runs_with_the_same_arguments_directory_and_stdin(project: Project, server: Sshd) -> None:
    assert run(project, "tool").stdout == b"there\n"
    server.stop()
    # A script that was sent before may have started there.
    assert wait_until(lambda: not connections(project), TIMEOUT)
    result = run(project, "tool", f"{project.local}/x", "", input=b"input")
    assert (result.returncode, result.stdout.decode()) == (9, f"local <{project.local}/x>local <> in /\ninput")
    line = result.stderr.decode()
    assert line.startswith("rdo: cannot reach ")
    assert line.endswith(f"; running the local `{project.local.parent}/here/tool` instead\n")
    assert line.count("\n") == 1


def test_children_of_the_local_tool_are_local_too_and_get_sigpipe(project: Project, server: Sshd) -> None:
    server.stop()
    result = run(project, "sh", "-c", "tool x; yes | head -1; kill -PIPE $$")
    assert result.stdout == b"local <x> in /\ny\n"
    assert result.stderr.count(b"\n") == 1
    assert result.returncode == -signal.SIGPIPE


def test_a_status_of_255_is_the_tool_s_own(project: Project) -> None:
    result = run(project, "tool", "255")
    assert (result.returncode, result.stdout, result.stderr) == (255, b"there\n", b"")


def test_a_command_whose_connection_is_lost_is_not_run_again(project: Project, server: Sshd) -> None:
    command = [str(project.local / ".rdo/bin/sh"), "-c", "echo started; exec sleep 60"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd="/", env=bare(project), stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"started\n"
        server.stop()
        assert process.stdout.read() == b""
        assert process.stderr.read().decode().startswith("rdo: the connection to ")
    assert process.returncode == 255


def test_without_a_local_tool_the_error_also_reports_that(project: Project, server: Sshd) -> None:
    server.stop()
    result = run(project, "nowhere")
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    assert b"there is no local `nowhere` to fall back to" in result.stderr


def refused(result: Result) -> bytes:
    """The error line of a command that was not run anywhere."""
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    return result.stderr


def test_only_a_shim_falls_back(project: Project, server: Sshd) -> None:
    server.stop()
    path = {"PATH": f"{os.path.dirname(str(project.command()[0]))}:{project.local.parent}/here:{BARE}"}
    assert b"cannot reach" in refused(project.run("tool", env=path))
    assert b"cannot reach" in refused(project.run("--fallback", "-c", "echo x", env=path))
    assert b"cannot reach" in refused(project.run("--fallback", "/bin/echo", env=path))
    assert project.run("--fallback", "tool", env=path).returncode == 9


@pytest.mark.parametrize("setting", ["", "local_fallback = false\n"])
def test_without_the_key_nothing_falls_back(project: Project, server: Sshd, setting: str) -> None:
    project.configure(ssh_config_text(project, setting))
    server.stop()
    assert b"cannot reach" in refused(run(project, "tool"))


def test_with_an_invalid_config_nothing_falls_back(project: Project) -> None:
    project.configure(ssh_config_text(project, "local_fallback = true\nnonsense = 1\n"))
    assert b"nonsense" in refused(run(project, "tool"))


def test_with_a_target_that_is_not_allowed_nothing_falls_back(project: Project, server: Sshd) -> None:
    server.stop()
    result = call(project, "tool", env={"RDO_TRUST": "", "PATH": f"{project.local.parent}/here:{BARE}"})
    assert b"is not allowed yet" in refused(result)


def test_a_repository_cannot_run_tools_here_without_permission(project: Project, server: Sshd) -> None:
    env = {"RDO_TRUST": "", "PATH": f"{project.local.parent}/here:{BARE}"}
    project.configure(ssh_config_text(project))
    allow = [str(Path(str(project.command()[0])).with_name("rdoctl")), "allow", "--yes"]
    subprocess.run(allow, cwd=project.local, env=dict(project.environment), check=True, capture_output=True)
    server.stop()
    assert b"cannot reach" in refused(call(project, "tool", env=env))
    project.configure(ssh_config_text(project, "local_fallback = true\n"))
    assert b"is not allowed yet: it has changed" in refused(call(project, "tool", env=env))
