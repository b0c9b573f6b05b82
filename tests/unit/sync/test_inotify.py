"""Tests for the watcher with inotify, including the limits, mounts and queue of the real kernel."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.sync.inotify import InotifyWatcher
from rdo.sync.local_tree import LocalTree
from rdo.sync.mounts import MountTable
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import EVERYTHING, ON_LINUX, Changed, Unwatchable
from tests.sync_project import ENVIRONMENT, git

pytestmark = [
    pytest.mark.skipif(not ON_LINUX, reason="inotify is Linux's"),
    pytest.mark.no_cover,  # takes no branch of a pure module that its own tests do not
]

LIMITS = Path("/proc/sys/fs/inotify")

PYTHON = [shutil.which("python3") or "python3", "-X", "utf8", "-c"]


@pytest.fixture
def watcher(tmp_path: Path) -> Iterator[InotifyWatcher]:
    watcher = InotifyWatcher(os.fsencode(tmp_path))
    watcher.watch(b"")
    yield watcher
    watcher.close()


def watches() -> int:
    """The number of directories that this process watches."""
    found = 0
    for entry in Path("/proc/self/fdinfo").iterdir():
        try:
            found += sum(line.startswith("inotify ") for line in entry.read_text().splitlines())
        except OSError:
            continue
    return found


def settled(root: Path, said: list[str]) -> Iterator[LocalTree]:
    local = LocalTree(str(root), SyncRules("push"), said.append)
    try:
        yield local
    finally:
        local.close()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def local(tmp_path: Path, said: list[str]) -> Iterator[LocalTree]:
    root = tmp_path / "root"
    root.mkdir(exist_ok=True)
    yield from settled(root, said)


def test_events_name_what_has_changed(watcher: InotifyWatcher, tmp_path: Path) -> None:
    assert not watcher.changed()
    (tmp_path / "a").write_text("")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/b").write_text("")
    assert watcher.changed() == Changed({b"a"}, {b"d"})
    assert not watcher.changed()


def test_an_excluded_directory_is_not_watched(watcher: InotifyWatcher, tmp_path: Path) -> None:
    for name in ("d", "e"):
        (tmp_path / name).mkdir()
        watcher.watch(name.encode())
    watcher.changed()
    watcher.retain({b"", b"e"})
    (tmp_path / "d/a").write_text("")
    (tmp_path / "e/a").write_text("")
    assert watcher.changed() == Changed({b"e/a"}, set())


def test_a_full_queue_means_that_anything_may_have_changed(local: LocalTree, tmp_path: Path) -> None:
    queued = int((LIMITS / "max_queued_events").read_text())
    local.settle(ENVIRONMENT)
    for number in range(queued + 100):
        (tmp_path / "root" / f"{number % 50}").touch()
        if number % 50 == 49:
            (tmp_path / "root" / f"{number % 50}").unlink()
    assert len(local.settle(ENVIRONMENT)) == sum(1 for _ in (tmp_path / "root").iterdir())


def test_the_queue_does_not_fill_while_it_is_drained(watcher: InotifyWatcher, tmp_path: Path) -> None:
    queued = int((LIMITS / "max_queued_events").read_text())
    for number in range(queued + 100):
        (tmp_path / f"{number % 50}").touch()
    assert watcher.changed() == EVERYTHING
    for number in range(queued + 100):
        (tmp_path / f"{number % 50}").touch()
        if number % 1000 == 0:
            assert watcher.changed() != EVERYTHING
    assert watcher.changed() != EVERYTHING


def test_ignored_directories_cost_no_watches(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / ".gitignore").write_text("node_modules/\n")
    for number in range(200):
        directory = tmp_path / "node_modules" / str(number)
        directory.mkdir(parents=True)
        (directory / "index.js").touch()
    (tmp_path / "src").mkdir()
    before = watches()
    for local in settled(tmp_path, []):
        assert sorted(local.settle(ENVIRONMENT)) == [b".gitignore", b"src"]
        assert watches() - before == 2
        tree = local.settle(ENVIRONMENT)
        shutil.rmtree(tmp_path / "node_modules")
        (tmp_path / "node_modules/a").mkdir(parents=True)
        assert local.settle(ENVIRONMENT) is tree
        assert watches() - before == 2
        (tmp_path / ".gitignore").write_text("src\n")
        assert b"node_modules/a" in local.settle(ENVIRONMENT)
        assert watches() - before == 3


def test_a_file_system_that_others_change_is_not_watched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(MountTable, "_read", lambda _: {b"": "ext4", b"share": "nfs4", b"own": "fuse.gocryptfs"})
    watcher = InotifyWatcher(os.fsencode(tmp_path))
    for name in (b"", b"own", b"share/below"):
        watcher.watch(name)
    with pytest.raises(Unwatchable, match=r"its file system \(nfs4\) does not report changes made by other machines"):
        watcher.watch(b"share")
    watcher.close()


def test_a_waiter_is_woken_by_a_change(local: LocalTree, tmp_path: Path) -> None:
    local.settle(ENVIRONMENT)
    begun = time.monotonic()
    local.wait(0.01)
    thread = threading.Timer(0.05, (tmp_path / "root/a").touch)
    thread.start()
    local.wait(30)
    assert time.monotonic() - begun < 20
    assert b"a" in local.settle(ENVIRONMENT)
    thread.join()


STRACE = ("strace", "-e", "trace=%file,%desc")
"""Without the calls for memory, which Python makes at any time."""


def test_without_a_change_the_cost_is_constant(local: LocalTree, tmp_path: Path) -> None:
    """Counts system calls: the same number for ten files as for a thousand."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    calls = []
    for count in (10, 1000):
        for number in range(count):
            (tmp_path / f"root/{number}").touch()
        body = "settle(); settle(); os.path.exists('/mark-1'); settle(); os.path.exists('/mark-2')"
        trace = tmp_path / "trace"
        script = (
            f"import os, sys; sys.path.insert(0, {str(Path(__file__).parents[3])!r})\n"
            "from rdo.sync.local_tree import LocalTree\nfrom rdo.sync.rules import SyncRules\n"
            f"local = LocalTree({str(tmp_path / 'root')!r}, SyncRules('push'), print)\n"
            f"settle = lambda: local.settle(dict(os.environ))\n{body}"
        )
        subprocess.run([*STRACE, "-o", trace, *PYTHON, script], check=True, env=ENVIRONMENT)
        lines = trace.read_text().splitlines()
        marks = [number for number, line in enumerate(lines) if "/mark-" in line]
        calls.append([line.partition("(")[0] for line in lines[marks[0] + 1 : marks[1]]])
    assert calls[0] == calls[1]
    assert len(calls[0]) < 60


def test_after_it_was_closed_it_still_answers_and_watches_nothing(tmp_path: Path, said: list[str]) -> None:
    before = watches()
    local = LocalTree(str(tmp_path), SyncRules("push"), said.append)
    local.settle(ENVIRONMENT)
    assert watches() > before
    local.close()
    (tmp_path / "a").touch()
    assert list(local.settle(ENVIRONMENT)) == [b"a"]
    assert (watches(), said) == (before, [])
