"""Fixtures for tests of attacks: those of the end-to-end and of the integration tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import (
    anywhere,
    client,
    containers,
    docker_box,
    lent,
    own,
    own_anywhere,
    project,
    reached,
    runtime,
    server,
    shared,
    shared_sshd,
    target,
    terminal,
    user_sshd,
    way,
)
from tests.e2e.project import Project, local_project
from tests.integration.conftest import caller, connect
from tests.login_keys import agent

__all__ = [
    "agent", "anywhere", "caller", "client", "connect", "containers", "docker_box", "lent", "own", "own_anywhere",
    "project", "reached", "runtime", "server", "shared", "shared_sshd", "target", "terminal", "user_sshd", "way",
]  # fmt: skip


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A clone in which nothing is allowed yet. The user's own config says for all projects where its commands run."""
    environment = {name: value for name, value in runtime.items() if name != "RDO_TRUST"}
    clone = local_project(tmp_path, environment)
    own = Path(environment["XDG_CONFIG_HOME"], "rdo")
    own.mkdir(parents=True)
    (clone.local / ".rdo.conf").rename(own / "config.toml")
    (own / "config.toml").write_text((own / "config.toml").read_text() + 'env = { MINE = "1" }\n')
    clone.configure("")
    return clone
