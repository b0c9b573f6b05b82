"""The native client, compiled, and a project without a server."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, local_project
from tests.native.clients import TOP


@pytest.fixture(scope="session", autouse=True)
def _native() -> None:
    if shutil.which("cc") is None or shutil.which("make") is None:
        require("cc", "there is no compiler")
    subprocess.run(["make", "native"], cwd=TOP, check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    return local_project(tmp_path, runtime)
