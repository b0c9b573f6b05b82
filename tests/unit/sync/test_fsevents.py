"""Tests for the watcher of macOS, which also runs wherever its library does: here with inotify."""

from __future__ import annotations

import builtins
import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.sync import fsevents
from rdo.sync.fsevents import BURST, FsEventsWatcher
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import EVERYTHING, Unwatchable
from tests.sync_project import ENVIRONMENT, RandomChanges, git, scanned

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

pytest.importorskip("watchfiles")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def local(root: Path) -> Iterator[LocalTree]:
    said: list[str] = []
    local = LocalTree(str(root), SyncRules("push"), said.append, FsEventsWatcher)
    yield local
    local.close()
    assert said == []


def test_everything_written_before_the_request_is_in_the_result(local: LocalTree, root: Path) -> None:
    assert not local.settle(ENVIRONMENT)
    for number in range(20):
        (root / f"d{number % 3}").mkdir(exist_ok=True)
        (root / f"d{number % 3}/{number}").write_text("x")
        assert f"d{number % 3}/{number}".encode() in local.settle(ENVIRONMENT)
    os.rename(root / "d0", root / "e")
    assert b"d0/0" not in local.settle(ENVIRONMENT)
    assert b"e/0" in local.settle(ENVIRONMENT)
    shutil.rmtree(root / "e")
    assert sorted({path[:2] for path in local.settle(ENVIRONMENT)}) == [b"d1", b"d2"]


def test_without_a_change_the_tree_is_the_same_and_no_cookie_is_left(local: LocalTree, root: Path) -> None:
    (root / "a").mkdir()
    tree = local.settle(ENVIRONMENT)
    assert local.settle(ENVIRONMENT) is tree
    assert os.listdir(root) == ["a"]
    git(root, "init", "-q")
    before = set((root / ".git").iterdir())
    assert local.settle(ENVIRONMENT) == tree
    assert set((root / ".git").iterdir()) == before


def test_random_changes_are_seen(local: LocalTree, root: Path) -> None:
    (root.parent / "outside").mkdir()
    changing = RandomChanges(os.fsencode(root), os.fsencode(root.parent / "outside"), seed=3)
    changing.random.choice = _only_utf8(changing.random.choice)  # type: ignore[method-assign]
    for _ in range(40):
        for _ in range(5):
            changing.some()
        tree = local.settle(ENVIRONMENT)
        assert {path: entry[:-1] for path, entry in tree.items()} == scanned(os.fsencode(root), SyncRules("push"))


def _only_utf8(choice: Any) -> Any:
    """On macOS there are no other names."""

    def chosen(items: Any) -> Any:
        return choice([item for item in items if not isinstance(item, bytes) or item.isascii()])

    return chosen


def test_after_a_burst_everything_is_read_again(root: Path) -> None:
    watcher = FsEventsWatcher(os.fsencode(root))
    for number in range(BURST + 10):
        (root / str(number)).touch()
    assert watcher.changed() == EVERYTHING
    assert not watcher.changed()
    watcher.close()


def test_a_root_that_is_gone_is_noticed(root: Path) -> None:
    watcher = FsEventsWatcher(os.fsencode(root))
    os.rename(root, root.parent / "elsewhere")
    with pytest.raises(Unwatchable, match="no such file"):
        watcher.changed()
    watcher.close()


def test_a_cookie_without_an_event_means_that_events_were_lost(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watcher = FsEventsWatcher(os.fsencode(root))
    monkeypatch.setattr(fsevents, "COOKIE_TIMEOUT", 0.2)
    watcher._changes = itertools.repeat(set())
    with pytest.raises(Unwatchable, match=r"no event came within 0\.2 s"):
        watcher.changed()
    assert os.listdir(root) == []
    watcher.close()


def test_without_the_library_all_files_are_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def missing(name: str, *rest: Any) -> Any:
        if name == "watchfiles":
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", missing)
    said: list[str] = []
    local = LocalTree(str(root), SyncRules("push"), said.append, FsEventsWatcher)
    (root / "a").touch()
    assert list(local.settle(ENVIRONMENT)) == [b"a"]
    assert len(said) == 1
    assert "`watchfiles` cannot be loaded; install it in rdo's environment: `pip install watchfiles`" in said[0]


@pytest.fixture
def folding(tmp_path: Path) -> Iterator[Path]:
    """A directory on a case-insensitive file system."""
    if os.geteuid() != 0 or not shutil.which("mkfs.vfat"):
        pytest.skip("needs root and mkfs.vfat")
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(4 << 20)
    place = tmp_path / "mounted"
    place.mkdir()
    subprocess.run(["mkfs.vfat", image], check=True, capture_output=True)
    if subprocess.run(["mount", "-o", "loop,utf8=1", image, place], check=False, capture_output=True).returncode:
        pytest.skip("cannot mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_rename_that_changes_only_the_case_is_seen(folding: Path) -> None:
    local = LocalTree(str(folding), SyncRules("push"), print, FsEventsWatcher)
    (folding / "readme").write_text("x")
    (folding / "dir").mkdir()
    (folding / "dir/a").write_text("x")
    assert sorted(local.settle(ENVIRONMENT)) == [b"dir", b"dir/a", b"readme"]
    for old, new in (("readme", "ReadMe-Long"), ("ReadMe-Long", "README-LONG"), ("dir", "Dir-Long")):
        os.rename(folding / old, folding / new)
    assert sorted(local.settle(ENVIRONMENT)) == [b"Dir-Long", b"Dir-Long/a", b"README-LONG"]
    (folding / "dir-long/a").write_text("more")
    assert local.settle(ENVIRONMENT)[b"Dir-Long/a"].size == 4
    local.close()
