"""Fixtures for tests that search for a project from some directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The physical path of a project with a subdirectory; the user has no config file of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    directory = tmp_path.resolve() / "project"
    (directory / "a" / "b").mkdir(parents=True)
    (directory / ".rdo.conf").write_text("driver = 'local'\n")
    return directory


@pytest.fixture
def enter(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that changes to a directory, as a shell does that shows it as `pwd`."""

    def go(directory: Path, pwd: str | None = None) -> None:
        monkeypatch.chdir(directory)
        monkeypatch.setenv("PWD", str(directory) if pwd is None else pwd)

    return go
