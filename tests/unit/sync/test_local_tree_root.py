"""Tests for which files of a directory belong to a project, and for problems with the directory itself."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import start
from tests.sync_project import unwatched
from tests.sync_trees import Project

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

NOBODY = 65534


def test_patterns_exclude_files(tmp_path: Path) -> None:
    rules = SyncRules("push", pull=("dist/**", "coverage.xml"), include=("x/keep.o",), exclude=("**/*.o", "docs/"))
    project = Project(tmp_path, rules=rules)
    for path in ("a.c", "a.o", "x/keep.o", "docs/a/b", "dist/app", "coverage.xml", "x/coverage.xml", ".rdo-sync/y"):
        project.write(path)
    assert project.paths() == [b"a.c", b"x", b"x/coverage.xml"]
    project.write("docs/c")
    project.write("y.o/z")
    project.write("docs.c")
    assert project.paths() == [b"a.c", b"docs.c", b"x", b"x/coverage.xml"]
    project.local.close()


def test_only_rdos_own_files_are_excluded_by_name(tmp_path: Path) -> None:
    project = Project(tmp_path, rules=SyncRules("push"))
    for path in (".rdo-sync/x", ".rdo-sync-cookie-1", ".rdo-sync.md", ".rdo-synced/x", "sub/.rdo-sync/x"):
        project.write(path)
    assert project.paths() == [
        b".rdo-sync.md",
        b".rdo-synced",
        b".rdo-synced/x",
        b"sub",
        b"sub/.rdo-sync",
        b"sub/.rdo-sync/x",
    ]
    project.local.close()


@pytest.mark.parametrize("pattern", ["dist", "dist/", "dist/**", "dist/*", "./dist//**/*"])
def test_a_directory_that_is_pulled_completely_belongs_to_the_target_even_if_empty_here(
    tmp_path: Path, pattern: str
) -> None:
    project = Project(tmp_path, rules=SyncRules("push", pull=(pattern,)))
    (project.root / "dist").mkdir()
    (project.root / "a/dist").mkdir(parents=True)
    assert project.paths() == [b"a", b"a/dist"]
    project.write("dist/a")
    assert project.paths() == [b"a", b"a/dist"]
    project.local.close()


@pytest.mark.parametrize("pattern", ["dist/*.o", "dist/**/a", "dist/*/", "dist/x/**"])
def test_a_directory_that_is_pulled_partly_is_pushed(tmp_path: Path, pattern: str) -> None:
    project = Project(tmp_path, rules=SyncRules("push", pull=(pattern,)))
    (project.root / "dist").mkdir()
    assert project.paths() == [b"dist"]
    project.local.close()


def test_a_path_that_include_and_pull_name_is_an_error(tmp_path: Path) -> None:
    project = Project(tmp_path, rules=SyncRules("push", pull=("dist/**",), include=("**/*.txt",)))
    project.write("dist/a.txt")
    with pytest.raises(
        RdoError, match=r"`dist/a.txt` belongs to both sides: both `include` and `pull` name it; remove"
    ):
        project.settle()
    (project.root / "dist/a.txt").unlink()
    assert project.paths() == [b"dist"]
    project.local.close()


def test_a_root_that_is_replaced_is_read_again(project: Project, tmp_path: Path) -> None:
    project.write("a")
    project.settle()
    os.rename(project.root, tmp_path / "old")
    with pytest.raises(RdoError, match=r"cannot read `.*root`: no such file or directory"):
        project.settle()
    project.write("b")
    assert project.paths() == [b"b"]
    (tmp_path / "old/c").write_text("")
    project.write("d/e")
    assert project.paths() == [b"b", b"d", b"d/e"]


def test_a_root_whose_parent_is_renamed_is_not_considered_empty(tmp_path: Path) -> None:
    project = Project(tmp_path / "p/root")
    project.write("a")
    project.settle()
    os.rename(tmp_path / "p", tmp_path / "q")
    with pytest.raises(RdoError, match=r"cannot read"):
        project.settle()
    os.rename(tmp_path / "q", tmp_path / "p")
    assert project.paths() == [b"a"]
    project.local.close()


@pytest.mark.parametrize("how", ["inotify", "scan"])
def test_an_unreadable_directory_is_an_error(how: str) -> None:
    with tempfile.TemporaryDirectory() as place, as_nobody(Path(place)):
        project = Project(Path(place), start if how == "inotify" else unwatched)
        project.write("d/e/a")
        assert len(project.paths()) == 3
        (project.root / "d/e").chmod(0)
        project.write("d/b")
        os.rename(project.root / "d", project.root / "f")
        for _ in range(2):
            with pytest.raises(RdoError, match=r"cannot read `.*/f/e`: permission denied; fix its permissions, or"):
                project.settle()
        (project.root / "f/e").chmod(stat.S_IRWXU)
        assert project.paths() == [b"f", b"f/b", b"f/e", b"f/e/a"]
        project.local.close()


@contextlib.contextmanager
def as_nobody(place: Path) -> Iterator[None]:
    """Drop root's permission to read everything."""
    if os.geteuid() != 0:
        yield
        return
    os.chown(place, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_the_lack_of_a_watcher_is_reported_once(tmp_path: Path) -> None:
    project = Project(tmp_path, unwatched)
    project.settle()
    project.settle()
    assert project.said == [
        f"cannot watch `{tmp_path}` for changes, so each command looks at all files: not in this test"
    ]


def test_a_closed_tree_can_still_be_read(project: Project) -> None:
    project.write("a")
    project.settle()
    project.local.close()
    project.local.close()
    project.local.drain()
    project.write("b")
    assert project.paths() == [b"a", b"b"]
