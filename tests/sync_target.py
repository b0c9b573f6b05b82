"""A project and its directory on a target, for tests of sync, and the files on either side."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from rdo.drivers.base import ChannelOptions
from rdo.fscodec import fsencode
from rdo.pool.shell_job import JobUse
from rdo.pool.shell_pool import ShellPool
from rdo.sync.conflict import SyncConflict
from rdo.sync.entry import Entry, Tree
from rdo.sync.project_state import ProjectState
from rdo.sync.pulling import PullResult
from rdo.sync.push_sender import PushResult
from rdo.sync.target_tree import TargetTree
from tests.one_shell import OneShell
from tests.ssh_client import ScriptedCaller


def tree_of(root: Path) -> Tree:
    """The tree below a directory, without rdo's own files."""
    found: dict[bytes, Entry] = {}
    top = os.fsencode(root)
    for directory, directories, files in os.walk(top):
        if directory == top and b".rdo-sync" in directories:
            directories.remove(b".rdo-sync")
        for name in directories + files:
            path = os.path.join(directory, name)
            info = os.lstat(path)
            found[os.path.relpath(path, top)] = entry_of(path, info)
    return found


def entry_of(path: bytes, info: os.stat_result) -> Entry:
    if stat.S_ISLNK(info.st_mode):
        return Entry("link", link=os.readlink(path))
    mode = stat.S_IMODE(info.st_mode)
    if stat.S_ISDIR(info.st_mode):
        return Entry("directory", mode)
    return Entry("file", mode, info.st_size, info.st_mtime_ns)


def contents(root: Path) -> dict[bytes, object]:
    """The tree with the contents of the files."""
    top = os.fsencode(root)
    found: dict[bytes, object] = {}
    for path, entry in tree_of(root).items():
        place = os.path.join(top, path)
        is_file = stat.S_ISREG(os.lstat(place).st_mode)
        found[path] = (entry, Path(os.fsdecode(place)).read_bytes()) if is_file else entry
    return found


def texts(root: Path) -> dict[bytes, bytes]:
    """The contents of the files below a directory."""
    return {path: Path(os.fsdecode(os.path.join(os.fsencode(root), path))).read_bytes()
            for path, entry in tree_of(root).items() if entry.kind == "file"}  # fmt: skip


class Side:
    """A project, and its directory on a target."""

    def __init__(self, base: Path, pool: OneShell | ShellPool, there: Path | None = None, remote: str = "") -> None:
        self.here = base / "here"
        self.there = there or base / "there"
        self.here.mkdir(exist_ok=True)
        self.caller = ScriptedCaller()
        self.pool = pool
        self.use = JobUse(cast(ShellPool, pool), self.caller, ChannelOptions)
        self._base = base
        self._remote = remote or str(self.there)
        self.tree = self.fresh()

    def fresh(self, state: str = "state") -> TargetTree:
        """What a control master knows that was just started. `state` is that of another machine."""
        environment = {"XDG_STATE_HOME": str(self._base / state)}
        known = ProjectState(environment, fsencode(str(self.here)), "here", self._remote)
        self.tree = TargetTree(known, self._remote, "here")
        return self.tree

    def push(self, **more: Any) -> PushResult:
        return self.tree.push(self.use, os.fsencode(self.here), tree_of(self.here), **more)

    def pull(self, *patterns: bytes) -> PullResult:
        return self.tree.pull(self.use, os.fsencode(self.here), PathPrefixes(patterns))

    def write(self, files: Mapping[str, str | bytes]) -> None:
        """Write local files. A name that ends with a slash is an empty directory."""
        write(self.here, files)

    @property
    def is_same(self) -> bool:
        """Whether both sides are the same."""
        return contents(self.here) == contents(self.there)

    @property
    def left(self) -> list[str]:
        """rdo's own files there that should not be there."""
        state = self.there / ".rdo-sync"
        found = {str(path.relative_to(state)).partition("/")[2] or path.name for path in state.rglob("*")}
        return sorted(each for each in found if each not in (".gitignore", "manifest", "serial", "pulls")
                      and not (state / each / "manifest").exists())  # fmt: skip


class PathPrefixes:
    """Patterns for directories or files."""

    def __init__(self, prefixes: Sequence[bytes]) -> None:
        self.prefixes = prefixes

    def matches(self, path: bytes) -> bool:
        return any(path == each or path.startswith(each + b"/") for each in self.prefixes)


def write(root: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files, and create the directories whose names end with a slash."""
    for name, content in files.items():
        path = root / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def pushed_side(directory: Path) -> Iterator[Side]:
    """A project that was copied to the target completely."""
    pool = OneShell()
    side = Side(directory, pool)
    side.write({"a": "1", "b": "2", "src/c": "3", "src/deep/d": "4"})
    (side.here / "link").symlink_to("a")
    side.push()
    yield side
    pool.close()


def refuse(side: Side) -> str:
    """The error of a push that is refused, after which nothing has changed on the target."""
    before = contents(side.there)
    with pytest.raises(SyncConflict) as caught:
        side.push()
    assert contents(side.there) == before
    assert side.left == []
    with pytest.raises(SyncConflict):
        side.fresh().push(side.use, os.fsencode(side.here), tree_of(side.here))
    return str(caught.value)
