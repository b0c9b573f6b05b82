"""Projects with trees that tests use: plain directories, and clones of git."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from rdo.sync.entry import Entry, Tree
from rdo.sync.local_tree import LocalTree
from rdo.sync.rules import SyncRules
from rdo.sync.watcher import Start, start
from tests.sync_project import ENVIRONMENT, git, unwatched


class Project:
    """A directory and its tree."""

    def __init__(self, root: Path, start_watcher: Start = start, rules: SyncRules | None = None) -> None:
        self.root = root
        self.said: list[str] = []
        self.local = LocalTree(str(root), rules or SyncRules("push"), self.said.append, start_watcher)

    def write(self, path: str | bytes, text: str = "x") -> Path:
        whole = self.root / os.fsdecode(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)
        return whole

    def settle(self) -> dict[bytes, Entry]:
        return dict(self.local.settle(ENVIRONMENT))

    def paths(self) -> list[bytes]:
        return sorted(self.local.settle(ENVIRONMENT))


class Clone:
    """A repository and its tree."""

    def __init__(self, root: Path, how: str) -> None:
        self.root = root
        self.said: list[str] = []
        self.how = how
        self.environment: Mapping[str, str] = ENVIRONMENT
        self.local = LocalTree(str(root), SyncRules("push"), self.said.append, self._start())

    def use(self, rules: SyncRules, root: Path | None = None) -> None:
        self.local.close()
        self.local = LocalTree(str(root or self.root), rules, self.said.append, self._start())

    def _start(self) -> Start:
        return start if self.how == "inotify" else unwatched

    def write(self, path: str | bytes, text: str = "x") -> None:
        whole = self.root / os.fsdecode(path)
        whole.parent.mkdir(parents=True, exist_ok=True)
        whole.write_text(text)

    def git(self, *words: str | bytes) -> bytes:
        return git(self.root, *words)

    def tree(self) -> Tree:
        return self.local.settle(self.environment)

    def files(self) -> list[bytes]:
        """The files and links that git lists."""
        return sorted(path for path, entry in self.tree().items() if entry.kind != "directory")

    def tracked(self) -> list[bytes]:
        """The files that git would track."""
        return sorted(set(self.git("ls-files", "-z", "-c", "-o", "--exclude-standard").split(b"\0")) - {b""})
