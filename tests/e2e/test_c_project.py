"""Builds a complete C project by a local make with its recipes on the target, and compares it with a make on the target
itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import c_tree
from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Project, make_project, ssh_project
from tests.sshd import Sshd

BUILD = ("make", "-j16")


def build(project: Project, *more: str) -> str:
    """The output of the local make."""
    directory = project.local / "tree"
    environment = {**project.environment, "PWD": str(directory)}
    done = subprocess.run([*BUILD, *more, "SHELL=rdo"], cwd=directory, env=environment, capture_output=True, text=True,
                          timeout=3 * TIMEOUT, check=False)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def check_that_both_builds_agree(project: Project, config: str, build_there: Callable[[], None]) -> None:
    """Build the project in both ways in the same directory; the first way, twice."""
    tree = project.local / "tree"
    c_tree.write(tree, config)
    shown = build(project)
    made, times = c_tree.contents(tree), c_tree.times(tree)
    assert shown.count(" -c -o ") == c_tree.UNITS + len(c_tree.LIBRARIES) * c_tree.MEMBERS
    assert " -c -o " not in build(project)
    assert c_tree.times(tree) == times
    (tree / "include" / "u007.h").touch()
    assert build(project).count(" -c -o ") == 1
    assert project.run("rm", "-rf", "tree").returncode == 0
    c_tree.write(tree, config)
    build_there()
    there = c_tree.contents(tree)
    assert there.keys() == made.keys()
    assert [path for path in there if there[path] != made[path]] == []


@pytest.mark.soak
@pytest.mark.skipif(not shutil.which("gcc"), reason="gcc is not installed")
def test_over_ssh_the_result_is_identical_to_that_of_a_make_on_the_target(
    tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    project = ssh_project(tmp_path, runtime, sshd)
    shutil.rmtree(project.remote)
    project.remote.symlink_to(project.local)
    directory = project.remote / "tree"

    def build_there() -> None:
        environment = {"PATH": os.environ["PATH"], "PWD": str(directory)}
        subprocess.run(BUILD, cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=TIMEOUT)

    check_that_both_builds_agree(project, c_tree.COMPILER, build_there)
    assert os.fsencode(directory) in (project.local / "tree/build/main.o").read_bytes()  # the debugger's directory
    assert project.run("./build/program", cwd="tree").stdout == b"1.2 (beta): %d\n" % c_tree.UNITS


@pytest.mark.soak
def test_in_docker_the_result_is_that_of_a_make_in_the_container(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    with docker_engine.container(mounts={project.local: "/it"}) as name, docker_engine.client() as client:
        project.configure(f'driver = "docker"\ncontainer = "{name}"\n')

        def build_there() -> None:
            done = client.containers.get(name).exec_run(list(BUILD), workdir="/it/tree")
            assert done.exit_code == 0, done.output

        check_that_both_builds_agree(project, c_tree.NO_COMPILER, build_there)
