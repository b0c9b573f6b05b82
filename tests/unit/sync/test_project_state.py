"""Tests for stored state of a project, which follows its directory, and nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from rdo.sync.project_state import ProjectState


@pytest.fixture
def root(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


def state(root: Path, home: str = "state") -> ProjectState:
    environment = {"HOME": str(root.parent), "XDG_STATE_HOME": str(root.parent / home)}
    return ProjectState(environment, os.fsencode(root), "ssh devbox", "/srv")


@pytest.mark.parametrize("name", ["other", "a\nb", "\udcff"])
def test_a_directory_that_was_renamed_is_the_same_project(root: Path, name: str) -> None:
    before = state(root)
    identity = before.identity
    before.write_pulled(b"a record\n")
    renamed = root.rename(root.parent / name)
    assert (state(renamed).identity, state(renamed).pulled()) == (identity, b"a record\n")
    assert state(renamed.rename(root)).identity == identity


def test_a_copy_is_another_project(root: Path) -> None:
    identity = state(root).identity
    copy = Path(shutil.copytree(root, root.parent / "copy"))
    assert state(copy).identity != identity
    assert state(root).identity == identity


def test_a_copy_is_another_project_even_if_the_original_is_removed(root: Path) -> None:
    identity = state(root).identity
    copy = Path(shutil.copytree(root, root.parent / "copy"))
    root.rmdir()
    assert state(copy).identity != identity


def test_on_another_machine_it_is_another_project(root: Path) -> None:
    assert state(root).identity != state(root, "state of another machine").identity


def test_state_of_earlier_releases_is_kept(root: Path) -> None:
    identity = state(root).identity
    (noted,) = (root.parent / "state").rglob("inode")
    noted.unlink()
    assert state(root).identity == identity
    assert state(root.rename(root.parent / "other")).identity == identity
