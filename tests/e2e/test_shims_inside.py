"""Tests for shims that call themselves: on a target that also has them in PATH, and in programs that rdo runs here."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project, ssh_config_text
from tests.e2e.shims import BARE, add, bare, call

pytestmark = pytest.mark.usefixtures("lent")

COUNT = '#!/bin/sh\necho "run by ${RDO_INSIDE-nobody}" >>"$0.log"\nexit 4\n'
"""A tool that reports how often it ran."""


def tool(directory: Path, name: str = "tool") -> Path:
    """A tool in a newly created directory."""
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(COUNT)
    (directory / name).chmod(0o755)
    return directory / f"{name}.log"


def shims_first(project: Project, *directories: Path) -> Mapping[str, str]:
    """PATH with the project's shims in it."""
    return {"PATH": os.pathsep.join(map(str, [project.local / ".rdo/bin", *directories, BARE]))}


@pytest.fixture
def same(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project whose target is this very directory."""
    project = make_project(tmp_path, runtime)
    project.configure('driver = "local"\n')
    return project


def test_with_this_machine_as_the_target_the_tool_runs_once(same: Project, tmp_path: Path) -> None:
    log = tool(tmp_path / "tools")
    add(same, "tool", "make")
    result = call(same, "tool", env=shims_first(same, tmp_path / "tools"))
    assert (result.returncode, result.stderr) == (4, b"")
    assert log.read_text().count("run by") == 1


def test_a_tool_there_runs_the_tools_there(same: Project, tmp_path: Path) -> None:
    log = tool(tmp_path / "tools")
    add(same, "tool", "sh")
    env = shims_first(same, tmp_path / "tools")
    assert call(same, "sh", "-c", "tool; tool; sh -c tool", env=env).returncode == 4
    assert same.run("sh", "-c", "tool", env=env).returncode == 4
    assert log.read_text().count(f"run by {same.local}") == 4


def test_two_projects_that_have_each_other_s_shims_in_path_do_not_call_each_other_for_ever(
    tmp_path: Path, runtime: dict[str, str]
) -> None:
    log = tool(tmp_path / "tools")
    both = [make_project(tmp_path / name, runtime) for name in ("one", "two")]
    path = ":".join([*(f"{project.local}/.rdo/bin" for project in both), f"{tmp_path}/tools", BARE])
    for project, first in zip(both, reversed(both), strict=True):
        project.configure(f'driver = "local"\npath = ["{first.local}/.rdo/bin"]\n')
        add(project, "tool")
    assert call(both[0], "tool", env={"PATH": path}).returncode == 4
    assert log.read_text().count("run by") == 1


def test_a_target_with_the_shims_in_path_runs_its_own_tool(project: Project) -> None:
    shared = f'directory = "{project.local}"\npath = [".rdo/bin"]\n'
    project.configure(ssh_config_text(project).replace(f'directory = "{project.remote}"\n', shared))
    add(project, "printf", "sh")
    assert call(project, "sh", "-c", "echo $RDO_INSIDE").stdout.decode() == f"{project.local}\n"
    assert call(project, "printf", "%s", "once").stdout == b"once"
    assert call(project, "sh", "-c", "command -v printf; printf x").stdout.decode().endswith("x")


def test_a_container_that_shares_the_directory_runs_its_own_tool(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    environment = {"PATH": f"/it/.rdo/bin:{BARE}"}
    for shell in ("dash", "busybox"):
        with docker_engine.container(shell, {project.local: "/it"}, environment=environment) as name:
            project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
            add(project, "sh", "cat")
            (project.local / "src" / "file").write_text("from here")
            assert call(project, "cat", f"{project.local}/src/file").stdout == b"from here"
            assert call(project, "sh", "-c", "cat src/file").stdout == b"from here"
            # Not by a shim, but by somebody who is logged in there: neither rdo nor the directory's other name is
            # known.
            assert project.run("sh", "-c", "unset RDO_INSIDE; cat src/file").stdout == b"from here"


def test_programs_that_rdo_runs_here_to_connect_are_not_shims(project: Project) -> None:
    add(project, "ssh", "sh")
    env = shims_first(project)
    assert call(project, "sh", "-c", "echo $0", env=env).stdout == b"sh\n"
    project.configure(ssh_config_text(project, 'env = { A = "1" }\n'))
    assert project.run("pwd", env=env).stdout.decode() == f"{project.remote}\n"


def test_nothing_of_it_is_left_in_the_caller_s_shell(same: Project) -> None:
    assert "RDO_INSIDE" not in bare(same)
    assert same.shell("rdo true; echo ${RDO_INSIDE-unset}").stdout == b"unset\n"
