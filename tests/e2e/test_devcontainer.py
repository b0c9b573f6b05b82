"""Tests for a dev container that VS Code or the devcontainer CLI created: `rdoctl init` finds it, and commands run in
it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project

METADATA = {"remoteUser": "daemon", "remoteEnv": {"WORD": "${localEnv:GIVEN}"}}


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[Project]:
    """A project with a devcontainer.json, and an engine. Masters are ended after the test."""
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host, "GIVEN": "hello"})
    (project.local / ".devcontainer").mkdir()
    settings = {"image": docker_engine.image(), "workspaceFolder": "/w", **METADATA}
    mount = "source=${localWorkspaceFolder},target=/w,type=bind"
    text = json.dumps({**settings, "workspaceMount": mount, "runArgs": ["--network=none"]})
    (project.local / ".devcontainer/devcontainer.json").write_text(text)
    yield project
    project.shell("rdoctl stop --all --now")


def check(project: Project) -> None:
    """Check that init writes only the driver, and that a command runs in the container as intended."""
    done = project.shell("rdoctl init")
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[0] == "wrote .rdo.conf: driver docker"
    assert "left out" not in done.stdout.decode()
    result = project.run("sh", "-c", "pwd; id -un; echo $WORD; hostname >where", cwd="src")
    assert (result.stdout, result.stderr[-200:]) == (b"/w/src\ndaemon\nhello\n", b"")


def test_init_finds_a_container_by_the_label_of_its_directory(project: Project, docker_engine: DockerEngine) -> None:
    (project.local / "src").chmod(0o777)
    labels = {"devcontainer.local_folder": str(project.local), "devcontainer.metadata": json.dumps([METADATA])}
    with docker_engine.container(mounts={project.local: "/w"}, labels=labels):
        check(project)


def test_ports_of_an_existing_container_are_forwarded(project: Project, docker_engine: DockerEngine) -> None:
    (project.local / ".devcontainer/devcontainer.json").write_text('{"image": "x", "forwardPorts": [3000]}')
    labels = {"devcontainer.local_folder": str(project.local)}
    with docker_engine.container(runs=False, mounts={project.local: "/w"}, labels=labels):
        done = project.shell("rdoctl init")
    assert done.stdout.decode().splitlines()[0] == "wrote .rdo.conf: driver docker, forward 3000"


def test_without_a_container_init_uses_the_file(project: Project) -> None:
    done = project.shell("rdoctl init")
    assert "wrote .rdo.conf: driver docker, user daemon, directory /w, image " in done.stdout.decode()


def test_init_finds_the_container_of_the_devcontainer_cli(project: Project, docker_engine: DockerEngine) -> None:
    program = shutil.which("devcontainer")
    if program is None:
        pytest.skip("the devcontainer CLI is not installed: npm install --global @devcontainers/cli")
    (project.local / "src").chmod(0o777)
    up = f"'{program}' up --workspace-folder . --update-remote-user-uid-default off"
    made = project.shell(up)
    assert made.returncode == 0, made.stderr.decode()
    try:
        check(project)
    finally:
        with docker_engine.client() as client:
            client.containers.get(json.loads(made.stdout)["containerId"]).remove(force=True)
