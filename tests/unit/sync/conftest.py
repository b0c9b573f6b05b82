"""Projects, with and without a watcher."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.watcher import start
from tests.sync_project import git, unwatched
from tests.sync_trees import Clone, Project


@pytest.fixture(params=["inotify", "scan"])
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Project]:
    """A project, with and without a watcher."""
    root = tmp_path / "root"
    root.mkdir()
    project = Project(root, start if request.param == "inotify" else unwatched)
    yield project
    project.local.close()


@pytest.fixture(params=["inotify", "scan"])
def clone(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Clone]:
    root = tmp_path / "root"
    root.mkdir()
    git(root, "init", "-q")
    clone = Clone(root, request.param)
    yield clone
    clone.local.close()
