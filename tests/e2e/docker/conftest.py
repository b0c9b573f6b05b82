"""A project whose profiles are the ways to use Docker: an existing container, one from an image, and one for each
command.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project

CONFIG = """
driver = "docker"
container = "{container}"

[made]
image = "{image}"
pull = "never"

[new]
image = "{image}"
pull = "never"
fresh = true
"""


@pytest.fixture(params=["default", "made", "new"])
def profile(request: pytest.FixtureRequest) -> str:
    """Each of its profiles."""
    return str(request.param)


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The directories of a project that the tests share."""
    return make_project(tmp_path_factory.mktemp("docker"), {})


@pytest.fixture(scope="module")
def container(docker_engine: DockerEngine, directories: Project) -> Iterator[str]:
    """A container with the project's directory mounted at `/it`."""
    with docker_engine.container(mounts={directories.local: "/it"}) as name:
        yield name


@pytest.fixture(scope="module")
def unprivileged(docker_engine: DockerEngine, directories: Project) -> Iterator[str]:
    """The same, as a user without any privileges."""
    with docker_engine.container(mounts={directories.local: "/it"}, cap_drop=["ALL"], user="1234") as name:
        yield name


@pytest.fixture
def own(directories: Project, runtime: dict[str, str], docker_engine: DockerEngine, container: str) -> Project:
    """The project, with its own control master. Its profiles are the ways to use Docker."""
    project = replace(directories, environment={**runtime, "DOCKER_HOST": docker_engine.host})
    project.configure(CONFIG.format(container=container, image=docker_engine.image()))
    return project


@pytest.fixture
def project(lent: dict[str, str], own: Project) -> Project:
    """The same, with a shared control master."""
    return own
