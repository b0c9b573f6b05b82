"""Keeps a tree up to date: reads all of it from the disk, or what has changed."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from typing import NamedTuple

from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode
from rdo.sync.ancestors import all_ancestors, ancestors
from rdo.sync.entry import Entry, Tree
from rdo.sync.file_state import FileStates
from rdo.sync.selection import Candidate, Claim, How, Selection
from rdo.sync.spelling import spelled
from rdo.sync.watcher import Changed, Watcher

REFUSED_LIMIT = 10_000
"""Changing paths that do not belong are remembered up to this number, since each costs a question to git."""

RULE_FILES = (b".gitignore", b".git")
"""If one of these changes, other files may belong."""


class Reading(NamedTuple):
    """What was read so far."""

    tree: dict[bytes, Entry]
    claims: dict[bytes, Claim]
    """Each directory that was entered, and what of it belongs here."""
    watcher: Watcher | None


class TreeWalk:
    """The tree of one project. `tree` is never changed, but replaced."""

    def __init__(self, root: bytes, selection: Selection) -> None:
        self._root = root
        self._selection = selection
        self._states = FileStates(root)
        self._claims: dict[bytes, Claim] = {}
        self._refused: set[Candidate] = set()
        self._exceptions: set[bytes] = set()
        """Paths that belong although their directory as a whole does not."""
        self._passages: set[bytes] = set()
        """Directories that may lead to such paths."""
        self.tree: Tree = {}

    def scan(self, watcher: Watcher | None) -> None:
        """Read everything. Raises RdoError, Unwatchable."""
        self._states.begin()
        self._refused.clear()
        self._exceptions.clear()
        self._passages.clear()
        reading = Reading({}, {b"": self._selection.begin()}, watcher)
        self._enter([b""], reading)
        self._selection.end()
        if watcher:
            watcher.retain(reading.claims.keys())
        self._finish(reading)

    def update(self, changed: Changed, watcher: Watcher | None) -> bool:
        """Read what has changed. Returns False if everything has to be read instead. Raises RdoError, Unwatchable."""
        if not self._selection_holds(changed):
            return False
        absent: Collection[bytes] = ()
        if watcher and not watcher.exact and changed:
            changed, absent = spelled(changed, self._root, self._claims, self.tree)
        paths = {*changed.paths, *changed.replaced, *self._states.linked}
        if not paths:
            return True
        self._states.begin()
        found, gone, same = self._compared(sorted(paths), changed.replaced, absent)
        if not found and not gone and not same:
            return True
        reading = self._without(gone, watcher)
        reading.tree.update(same)
        self._add(found, reading)
        if self._states.new_links:
            return False
        self._finish(reading)
        return True

    def _selection_holds(self, changed: Changed) -> bool:
        """Whether the same files belong as before. Only a change in a directory that was entered can alter that."""
        return not any(
            path.endswith(RULE_FILES)
            and path.rpartition(b"/")[2] in RULE_FILES
            and path.rpartition(b"/")[0] in self._claims
            for path in (*changed.paths, *changed.replaced)
        )

    def _compared(
        self, paths: Iterable[bytes], replaced: Collection[bytes], absent: Collection[bytes]
    ) -> tuple[list[Candidate], set[bytes], dict[bytes, Entry]]:
        """Of these paths, each after its directory: what may be new, what is gone, and what exists but has changed."""
        found: list[Candidate] = []
        gone: set[bytes] = set()
        same: dict[bytes, Entry] = {}
        for path in paths:
            directory = path.rpartition(b"/")[0]
            claim = self._claims.get(directory)
            if not path or claim is None or (gone and not gone.isdisjoint(ancestors(path))):
                continue
            stat = None if path in absent else self._stat(path)
            known = self.tree.get(path)
            entry = self._states.look(path, stat, known) if stat else None
            if entry is None:
                self._lose(path, gone)
            elif known and known.kind == entry.kind and not (entry.kind == "directory" and path in replaced):
                if entry is not known:
                    same[path] = entry
            else:
                self._lose(path, gone)
                candidate = Candidate(path, entry.kind == "directory", claim)
                if candidate not in self._refused:
                    found.append(candidate)
        return found, gone, same

    def _lose(self, path: bytes, gone: set[bytes]) -> None:
        if path in self.tree or path in self._claims:
            gone.add(path)
        self._states.forget(path)

    def _without(self, gone: set[bytes], watcher: Watcher | None) -> Reading:
        """The tree without the paths that are gone, and without anything below them."""
        lost = set()
        if not gone.isdisjoint(self._claims):
            lost = {each for each in self._claims if not gone.isdisjoint((each, *ancestors(each)))}
        if not gone:
            return Reading(dict(self.tree), self._claims, watcher)
        tree = {
            path: entry
            for path, entry in self.tree.items()
            if path not in gone and path.rpartition(b"/")[0] not in lost
        }
        return Reading(tree, {path: claim for path, claim in self._claims.items() if path not in lost}, watcher)

    def _add(self, found: list[Candidate], reading: Reading) -> None:
        """Read what may be new, if it belongs."""
        decided = self._selection.decide(found)
        if len(self._refused) > REFUSED_LIMIT:
            self._refused.clear()
        self._refused.update(each for each, claim in zip(found, decided, strict=True) if claim is None)
        self._enter(self._take(found, decided, reading), reading)

    def _enter(self, level: list[bytes], reading: Reading) -> None:
        """Read the contents of directories, level by level."""
        while level:
            found = [candidate for directory in level for candidate in self._list(directory, reading)]
            level = self._take(found, self._selection.decide(found), reading)

    def _list(self, directory: bytes, reading: Reading) -> list[Candidate]:
        if reading.watcher:
            reading.watcher.watch(directory)
        try:
            with os.scandir(self._root + b"/" + directory) as entries:
                names = {entry.name: entry.is_dir(follow_symlinks=False) for entry in entries}
        except OSError as error:
            if directory and isinstance(error, FileNotFoundError | NotADirectoryError):
                return []  # it is gone, which causes an event
            raise _unreadable(os.path.join(self._root, directory), error) from error
        claim = self._selection.inside(directory, reading.claims[directory], names)
        reading.claims[directory] = claim
        above = directory + b"/" if directory else b""
        return [Candidate(above + name, is_directory, claim) for name, is_directory in names.items()]

    def _take(self, found: list[Candidate], decided: list[Claim | None], reading: Reading) -> list[bytes]:
        """Add to the tree what belongs, and return the directories to read next."""
        directories = []
        for (path, is_directory, parent), claim in zip(found, decided, strict=True):
            stat = self._stat(path) if claim else None
            entry = self._states.look(path, stat, self.tree.get(path)) if stat else None
            if entry is None or claim is None or is_directory != (entry.kind == "directory"):
                continue  # it was replaced meanwhile, which causes an event
            if is_directory:
                directories.append(path)
                reading.claims[path] = claim
            if is_directory and claim.how is How.SOME:
                self._passages.add(path)
                continue
            reading.tree[path] = entry
            if parent.how is How.SOME:
                self._exceptions.add(path)
        return directories

    def _finish(self, reading: Reading) -> None:
        """Add the directories that lead to what belongs, and keep the old tree if nothing has changed."""
        tree, claims, _ = reading
        self._exceptions = {path for path in self._exceptions if path in tree}
        self._passages = {path for path in self._passages if path in claims and claims[path].how is How.SOME}
        needed = all_ancestors(self._exceptions)
        for path in self._passages:
            if path not in needed:
                tree.pop(path, None)
            elif path not in tree and (stat := self._stat(path)):
                entry = self._states.look(path, stat, self.tree.get(path))
                if entry:
                    tree[path] = entry
        self._claims = claims
        if tree != self.tree:
            self.tree = tree

    def _stat(self, path: bytes) -> os.stat_result | None:
        try:
            return os.lstat(self._root + b"/" + path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreadable(os.path.join(self._root, path), error) from error


def _unreadable(path: bytes, error: OSError) -> RdoError:
    hint = "fix its permissions, or add it to `exclude`" if isinstance(error, PermissionError) else ""
    return RdoError(f"cannot read `{fsdecode(path)}`", reason(error), hint)
