"""Tests for shims, called as an editor calls them: by full path, from anywhere, with a minimal environment."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import TIMEOUT, Project, make_project, ssh_config_text
from tests.e2e.reached import token
from tests.e2e.shims import add, bare, call, directory_there
from tests.leaks import wait_until
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

SHELLS = {"dash": ["dash"], "bash": ["bash", "--posix"], "busybox": ["busybox", "sh"]}


def test_a_shim_runs_the_tool_in_the_project_s_directory_from_anywhere(project: Project, tmp_path: Path) -> None:
    add(project, "sh")
    for directory in ("/", str(tmp_path), str(project.local)):
        assert directory_there(project, cwd=directory) == str(project.remote)
    below = directory_there(project, cwd=project.local / "src", env={"PWD": "/somewhere/else"})
    assert below == f"{project.remote}/src"


@pytest.mark.parametrize("shell", list(SHELLS))
def test_it_works_with_any_shell_as_bin_sh(project: Project, shell: str) -> None:
    if shutil.which(shell) is None:
        require(shell, "it is not installed")
    add(project, "sh")
    script = 'cat; printf "<%s>" "$@"; exit 7'
    command = [*SHELLS[shell], str(project.local / ".rdo/bin/sh"), "-c", script, "x", "a b", "", "it's\n"]
    command[0] = str(shutil.which(command[0]))
    result = subprocess.run(command, cwd="/", env=bare(project), input=b"in", capture_output=True, timeout=TIMEOUT)
    assert (result.returncode, result.stdout) == (7, b"in<a b><><it's\n>")


def test_local_paths_in_arguments_are_mapped_and_remote_ones_kept(project: Project) -> None:
    add(project, "sh")
    words = [f"{project.local}/src/x.py", f"--out={project.local}", f"{project.remote}/src", "/etc", "x"]
    mapped = [f"{project.remote}/src/x.py", f"--out={project.remote}", *words[2:]]
    shown = call(project, "sh", "-c", "printf '%s\\n' \"$@\" | tr / '|'", "sh", *words).stdout.decode()
    assert shown.replace("|", "/").splitlines() == mapped


def test_stdin_streams_and_status_are_those_of_the_tool(project: Project) -> None:
    add(project, "sh", "cat", "no-such-tool")
    data = os.urandom(300_000)
    assert call(project, "cat", input=data).stdout == data
    result = call(project, "sh", "-c", "echo out; echo err >&2; kill -9 $$")
    assert (result.returncode, result.stdout, result.stderr) == (137, b"out\n", b"err\n")
    missing = call(project, "no-such-tool")
    assert (missing.returncode, missing.stderr.count(b"\n")) == (127, 1)


def test_a_signal_to_the_shim_reaches_the_tool(project: Project) -> None:
    add(project, "sh")
    command = [str(project.local / ".rdo/bin/sh"), "-c", "trap 'echo got it; exit 5' TERM; echo ready; sleep 30 & wait"]
    with subprocess.Popen(command, cwd="/", env=bare(project), stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b"got it\n"
    assert process.returncode == 5


def test_a_profile_may_be_built_in(project: Project) -> None:
    project.configure(ssh_config_text(project, '[ci]\nenv = { WHO = "ci" }\n'))
    add(project, "-p", "ci", "sh")
    assert call(project, "sh", "-c", "echo $WHO").stdout == b"ci\n"


@pytest.mark.parametrize("name", ["two words", "it's", 'a "b"', "new\nline", "$HOME `id`", "back\\slash", "*", "a:b"])
def test_the_project_s_directory_may_have_any_name(
    tmp_path: Path, runtime: dict[str, str], sshd: Sshd, name: str
) -> None:
    made = make_project(tmp_path / name, {**runtime, "RDO_SSH_CONFIG": str(sshd.ssh_config())})
    made.configure(f'host = "devbox"\ndirectory = "{tmp_path}"\n')
    add(made, "sh")
    assert directory_there(made) == str(tmp_path)


def test_a_project_that_was_moved_is_reported_with_what_to_type(project: Project) -> None:
    add(project, "sh")
    moved = Project(project.local.rename(project.local.with_name("moved")), project.remote, project.environment)
    result = call(moved, "sh")
    assert (result.returncode, result.stdout) == (255, b"")
    where = f"rdo: no `.rdo.conf` in `{project.local}`"
    assert result.stderr.decode() == f"{where}; correct `--project` or, after a move, type `rdoctl shim add` again\n"
    add(moved, "sh")
    assert directory_there(moved) == str(project.remote)


def test_rdo_project_uses_that_directory_s_config(project: Project) -> None:
    assert project.run("--project", str(project.local), "pwd", cwd="/").stdout.decode() == f"{project.remote}\n"
    assert project.run("-C", "/", "--project", str(project.local), "pwd").stdout.decode() == f"{project.remote}\n"
    explained = subprocess.run(
        [Path(str(project.command()[0])).with_name("rdoctl"), "explain", "--project", str(project.local), "pwd"],
        cwd="/", env=dict(project.environment), capture_output=True, check=True, timeout=TIMEOUT,
    )  # fmt: skip
    assert f"there  {project.remote}\n" in explained.stdout.decode()


def test_nothing_is_left_running_when_a_shim_is_killed(project: Project) -> None:
    add(project, "sleep")
    seconds = token()
    command = [str(project.local / ".rdo/bin/sleep"), seconds]
    with subprocess.Popen(command, cwd="/", env=bare(project)) as process:
        there = ["pgrep", "-fx", f"sleep {seconds}"]
        assert wait_until(lambda: subprocess.run(there, stdout=subprocess.DEVNULL).returncode == 0, TIMEOUT)
        process.kill()
    assert wait_until(lambda: subprocess.run(there, stdout=subprocess.DEVNULL).returncode == 1, TIMEOUT)


def test_remote_paths_in_output_become_local_ones(project: Project) -> None:
    add(project, "echo", "sh")
    shown = call(project, "echo", f"{project.remote}/src/x.py:3: error", f"{project.local}/src/y.py")
    assert shown.stdout.decode() == f"{project.local}/src/x.py:3: error {project.local}/src/y.py\n"
    assert call(project, "sh", "-c", "pwd >&2").stderr.decode() == f"{project.local}\n"
