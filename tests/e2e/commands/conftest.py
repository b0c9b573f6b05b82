"""Fixtures for tests that only run commands. They share a control master, since starting one and logging in takes most
of a test's time.

A test that changes the config uses `configured`. One that counts logins or ends the master uses `own`.
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
    """A separate project for one test, on that server and with that master."""
    return by(client, ssh_project(tmp_path, shared_runtime, shared_sshd))


@pytest.fixture(scope="session")
def shared_anywhere(
    tmp_path_factory: pytest.TempPathFactory,
    shared_runtime: dict[str, str],
    shared: Project,
    target: str,
    server: Callable[[Path, Mapping[str, str]], Project],
) -> Project:
    """The same on each kind of target."""
    return shared if target == "ssh" else up(server(tmp_path_factory.mktemp("shared"), shared_runtime))


@pytest.fixture
def anywhere(shared_anywhere: Project, client: str) -> Project:
    """A part for one test of a project on each kind of target."""
    return by(client, part(shared_anywhere))


def by(client: str, project: Project) -> Project:
    """The project, with that client as its `rdo`."""
    path = clients.path(client, project.environment["PATH"])
    return replace(project, environment={**project.environment, **path})
