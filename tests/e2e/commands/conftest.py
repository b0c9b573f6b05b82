"""Fixtures of tests that only run commands: they share a control master, since to start one and to log in is most of
what a test costs. What changes the config takes `configured`, what counts logins or ends the master takes `own`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests import clients
from tests.e2e.project import Project, part, ssh_project, up
from tests.sshd import Sshd


@pytest.fixture
def project(shared: Project, client: str) -> Project:
    """A part of that project for one test."""
    return by(client, part(shared))


@pytest.fixture
def configured(
    tmp_path: Path, shared_runtime: dict[str, str], shared: Project, shared_sshd: Sshd, client: str
) -> Project:
    """A project of its own for one test, on that server and served by that master."""
    return by(client, ssh_project(tmp_path, shared_runtime, shared_sshd))


@pytest.fixture(scope="session")
def shared_anywhere(
    tmp_path_factory: pytest.TempPathFactory,
    shared_runtime: dict[str, str],
    shared: Project,
    target: str,
    server: Callable[[Path, Mapping[str, str]], Project],
) -> Project:
    """The same on each kind of target in its turn."""
    return shared if target == "ssh" else up(server(tmp_path_factory.mktemp("shared"), shared_runtime))


@pytest.fixture
def anywhere(shared_anywhere: Project, client: str) -> Project:
    """A part for one test of a project on each kind of target in its turn."""
    return by(client, part(shared_anywhere))


def by(client: str, project: Project) -> Project:
    """The project, with that client for its `rdo`."""
    path = clients.path(client, project.environment["PATH"])
    return replace(project, environment={**project.environment, **path})
