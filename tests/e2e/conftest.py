"""Fixtures of the end-to-end tests: a project whose target is a real sshd."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, ssh_project
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    """A project on the sshd that the tests share."""
    return ssh_project(tmp_path, runtime, sshd)


@pytest.fixture
def terminal(project: Project) -> Iterator[Terminal]:
    """An interactive bash on a terminal of 30 rows and 100 columns, in the project's folder."""
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as opened:
        opened.expect("$ ")
        yield opened
