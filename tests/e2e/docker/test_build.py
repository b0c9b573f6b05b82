"""Tests for the installed rdo with a container from an image that the engine builds, from `rdoctl init` to a changed
Dockerfile.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project
from tests.e2e.terminal import Terminal

MARK = "rdo.build"
"""The label of images that rdo built."""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[Project]:
    """A project with a Dockerfile. The images are removed after the test."""
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    write(project, docker_engine, "ENV WORD=one")
    yield project
    project.shell("rdoctl stop --all --now")
    with docker_engine.client() as client:
        for image in client.images.list(filters={"label": MARK}):
            client.images.remove(str(image.id), force=True)


def write(project: Project, engine: DockerEngine, *lines: str, path: str = "Dockerfile") -> None:
    """Write a Dockerfile of the base image and these lines."""
    (project.local / path).parent.mkdir(exist_ok=True)
    (project.local / path).write_text("\n".join([f"FROM {engine.image()}", *lines, ""]))


def test_init_writes_a_config_that_builds_the_dockerfile_and_rebuilds_a_changed_one(
    project: Project, docker_engine: DockerEngine
) -> None:
    done = project.shell("rdoctl init")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("wrote .rdo.conf: driver docker, directory /src, build .\n")
    result = project.run("sh", "-c", "echo $WORD; pwd; ls -d src")
    assert (result.stdout, result.stderr) == (b"one\n/src\nsrc\n", b"rdo: building `.`\n")
    again = project.run("sh", "-c", "echo $WORD")
    assert (again.stdout, again.stderr) == (b"one\n", b"")
    write(project, docker_engine, "ENV WORD=two")
    changed = project.run("sh", "-c", "echo $WORD", env={"RDO_TRUST": "1"})
    assert (changed.stdout, changed.stderr) == (b"two\n", b"rdo: building `.`\n")


def test_a_devcontainer_that_is_built_works_with_the_config_of_init(
    project: Project, docker_engine: DockerEngine
) -> None:
    write(project, docker_engine, "ARG V", 'RUN useradd dev && echo "$V" >/etc/v', path=".devcontainer/Dockerfile")
    (project.local / ".devcontainer/devcontainer.json").write_text(
        '{"build": {"dockerfile": "Dockerfile", "args": {"V": "3"}}, // a remark\n "containerEnv": {"A": "b c"},'
        '"remoteUser": "dev", "workspaceFolder": "/w", "postCreateCommand": "make deps", "features": {},}'
    )
    done = project.shell("rdoctl init")
    assert done.stderr == b""
    assert (
        "not taken from .devcontainer/devcontainer.json, see the comments in .rdo.conf: postCreateCommand, features\n"
        in (done.stdout.decode())
    )
    assert "  rdo -c 'make deps'\n" in done.stdout.decode()
    result = project.run("sh", "-c", "cat /etc/v; id -un; pwd; echo $A")
    assert result.stdout == b"3\ndev\n/w\nb c\n"


def test_a_changed_dockerfile_runs_nothing_before_it_is_allowed(project: Project, docker_engine: DockerEngine) -> None:
    project.configure('build = "."\n')
    refused = project.run("true", env={"RDO_TRUST": ""})
    assert (refused.returncode, refused.stdout) == (255, b"")
    assert b"is not allowed yet" in refused.stderr
    project.shell("rdoctl allow --yes")
    assert project.run("true", env={"RDO_TRUST": ""}).returncode == 0
    write(project, docker_engine, "RUN touch /never")
    refused = project.run("true", env={"RDO_TRUST": ""})
    assert refused.returncode == 255
    assert b"it has changed" in refused.stderr


def test_with_v_each_line_of_the_build_is_shown(project: Project, docker_engine: DockerEngine) -> None:
    project.configure('build = "."\n')
    write(project, docker_engine, "RUN echo a word")
    lines = project.run("-v", "true").stderr.decode().splitlines()
    assert "rdo: build: a word" in lines
    assert f"rdo: build: Step 1/3 : FROM {docker_engine.image()}" in lines
    assert "rdo: build: Step 2/3 : RUN echo a word" in lines


def test_a_failed_build_shows_its_last_lines_and_one_of_rdo(project: Project, docker_engine: DockerEngine) -> None:
    write(project, docker_engine, "RUN echo a word; exit 7")
    project.configure('build = "."\n')
    result = project.run("true")
    assert result.returncode == 255
    lines = result.stderr.decode().splitlines()
    assert "a word" in lines
    assert lines[-1].startswith("rdo: cannot build `.`: The command '/bin/sh -c echo a word; exit 7' returned")


def test_on_a_terminal_the_step_appears_and_disappears(project: Project, docker_engine: DockerEngine) -> None:
    write(project, docker_engine, "RUN sleep 3")
    project.configure('build = "."\n')
    with Terminal(["rdo", "echo", "done"], project.local, project.environment) as terminal:
        terminal.expect("building `.`: step 2/3: RUN sleep 3 (")
        terminal.expect("done")
