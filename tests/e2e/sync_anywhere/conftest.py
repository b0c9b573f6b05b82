"""Fixtures for the tests of sync with each of ssh, docker and local."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, docker_project, local_project, ssh_project
from tests.e2e.synced import Synced, prepared

KINDS = ["ssh", "docker", "local"]


@pytest.fixture(scope="session")
def box(docker_engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A container that sees the directory of the targets, but not those of the projects."""
    directory = tmp_path_factory.mktemp("targets")
    with docker_engine.container("dash", {directory: str(directory)}) as name:
        yield name, directory


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[str, object]:
    """Each kind of target, with its server, which is started before any test."""
    servers = {"ssh": "sshd", "docker": "box"}
    return request.param, request.getfixturevalue(servers[request.param]) if request.param in servers else None


@pytest.fixture
def synced(kind: tuple[str, Any], tmp_path: Path, runtime: dict[str, str], request: pytest.FixtureRequest) -> Synced:
    name, server = kind
    if name == "ssh":
        project = ssh_project(tmp_path, runtime, server)
    elif name == "local":
        project = local_project(tmp_path, runtime)
    else:
        container, directory = server
        project = docker_project(tmp_path, runtime, request.getfixturevalue("docker_engine"), container)
        shutil.rmtree(project.remote)
        project = Project(project.local, directory / tmp_path.name, project.environment)
        project.configure(f'driver = "docker"\ncontainer = "{container}"\ndirectory = "{project.remote}"\n')
    return prepared(project)
