"""Fixtures of the end-to-end tests: projects whose target is a real sshd, or a container of a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.docker_engine import SHELLS, DockerEngine
from tests.e2e.project import Project, docker_project, ssh_project
from tests.e2e.reached import WAYS, Reached, Way, shared_user_sshd
from tests.e2e.terminal import Terminal
from tests.leaks import MARK, Leaks
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


@pytest.fixture(scope="session")
def user_sshd(leaks: Leaks) -> Iterator[Sshd]:
    """A server that lets an ordinary user in."""
    for server in shared_user_sshd({MARK: f"{leaks.run}user-sshd"}):
        leaks.register_server(server.pid)
        yield server


@pytest.fixture(scope="session", params=WAYS)
def way(request: pytest.FixtureRequest) -> tuple[Way, Sshd | DockerEngine]:
    """Each kind of target with its server, which is there before any test that uses it."""
    way = WAYS[request.param]
    return way, request.getfixturevalue(way.server)


@pytest.fixture
def reached(way: tuple[Way, Sshd | DockerEngine], tmp_path: Path, runtime: dict[str, str]) -> Iterator[Reached]:
    """A project on each kind of target, over a line that can be cut."""
    with ExitStack() as stack:
        yield way[0].reach(tmp_path, runtime, way[1], stack)
