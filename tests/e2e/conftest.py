"""Fixtures of the end-to-end tests: projects whose target is a real sshd, or a container of a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import SHELLS, DockerEngine
from tests.e2e.project import Project, docker_project, ssh_project
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    """A project on the sshd that the tests share."""
    return ssh_project(tmp_path, runtime, sshd)


@pytest.fixture(scope="module", params=["ssh", *(f"docker-{shell}" for shell in SHELLS)])
def server(request: pytest.FixtureRequest) -> Sshd | DockerEngine:
    """The server of each kind of target; up before a test begins, so that it is no leak of the test's."""
    return request.getfixturevalue("sshd" if request.param == "ssh" else "docker_engine")


@pytest.fixture
def anywhere(
    request: pytest.FixtureRequest, tmp_path: Path, runtime: dict[str, str], server: Sshd | DockerEngine
) -> Iterator[Project]:
    """A project on each kind of target in its turn; the containers by what their /bin/sh is."""
    if isinstance(server, Sshd):
        yield ssh_project(tmp_path, runtime, server)
        return
    shell = request.node.callspec.params["server"].removeprefix("docker-")
    with docker_project(tmp_path, runtime, server, shell) as project:
        yield project


@pytest.fixture
def terminal(project: Project) -> Iterator[Terminal]:
    """An interactive bash on a terminal of 30 rows and 100 columns, in the project's folder."""
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as opened:
        opened.expect("$ ")
        yield opened
