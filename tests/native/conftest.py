"""Fixtures: the compiled native client, and a project without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import clients
from tests.conftest import require
from tests.e2e.project import Project, local_project


@pytest.fixture(scope="session", autouse=True)
def _native() -> None:
    if not clients.is_native():
        require("cc", "there is no client in C")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)
