"""Tests for a target that is restarted, or drops an idle connection: the next command works silently."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import require
from tests.docker_engine import DockerEngine, shared_engine
from tests.e2e.project import TIMEOUT, Project, make_project, ssh_project
from tests.leaks import MARK, Leaks, wait_until
from tests.sshd import Sshd

BACK = 30.0
"""Seconds for an engine to start its containers again."""


@pytest.fixture
def server(own_sshd: Callable[..., Sshd]) -> Sshd:
    """A server that the test may restart."""
    return own_sshd().start()


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], server: Sshd) -> Project:
    """A project whose target is that server."""
    return ssh_project(tmp_path, runtime, server)


@pytest.fixture
def own_engine(leaks: Leaks) -> Iterator[DockerEngine]:
    """An engine that the test may restart."""
    yield from shared_engine({MARK: f"{leaks.run}docker"}, require)


def works(project: Project) -> None:
    """Check that a command works as if nothing had happened."""
    found = project.run("echo", "hi")
    assert (found.returncode, found.stdout, found.stderr) == (0, b"hi\n", b"")


def test_a_server_that_was_restarted_is_logged_in_to_again(project: Project, server: Sshd) -> None:
    for _ in range(3):
        works(project)
        server.restart()
    works(project)


def test_a_command_during_a_restart_reports_it_and_the_next_one_works(project: Project, server: Sshd) -> None:
    with project.start("sh", "-c", "echo up; exec sleep 60") as command:
        assert command.stdout
        assert command.stdout.readline() == b"up\n"
        server.restart()
        _, said = command.communicate(timeout=TIMEOUT)
    assert command.returncode == 255
    assert said.startswith(b"rdo: the connection to `")
    assert said.count(b"\n") == 1
    works(project)


def test_a_server_that_drops_idle_connections_is_logged_in_to_again(project: Project, server: Sshd) -> None:
    works(project)
    server.cut()
    assert wait_until(lambda: not server.sessions(), BACK)  # otherwise, a fast client finds them still there
    works(project)


def test_a_container_is_found_again_when_its_engine_was_restarted(
    tmp_path: Path, runtime: dict[str, str], own_engine: DockerEngine
) -> None:
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": own_engine.host})
    with own_engine.container(mounts={project.local: "/it"}, restart_policy={"Name": "always"}) as name:
        project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
        works(project)
        own_engine.pause()
        own_engine.start()
        with own_engine.client() as client:
            assert wait_until(lambda: client.containers.get(name).status == "running", BACK)
        works(project)
        with own_engine.client() as client:
            client.containers.get(name).restart(timeout=0)
        works(project)
