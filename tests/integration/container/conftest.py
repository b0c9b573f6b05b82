"""Fixtures: existing containers, and connections to them that are closed after the test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.docker_client import Connect, connections
from tests.docker_engine import DockerEngine


@pytest.fixture
def connect(docker_engine: DockerEngine) -> Iterator[Connect]:
    """Connects, and closes the connections after the test."""
    with connections({**os.environ, "DOCKER_HOST": docker_engine.host}) as connect:
        yield connect


@pytest.fixture(scope="module")
def shared(docker_engine: DockerEngine) -> Iterator[str]:
    """A running container, for tests that do not change it."""
    with docker_engine.container(working_dir="/opt") as name:
        yield name
