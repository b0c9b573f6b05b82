"""What has to be done on a target so that it has what a tree has, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from rdo.sync.entry import Entry, Tree
from rdo.sync.examine import Found
from rdo.sync.large_file import LARGE_SIZE
from rdo.sync.manifest import Placed
from rdo.sync.push_job import Push, is_bare, parents

BATCH_SIZE = LARGE_SIZE
"""Bytes of files at a time: so much is sent again if a large copy is interrupted."""

BATCH_COUNT = 20_000
"""Entries at a time."""


def plan(
    put: Mapping[bytes, Placed],
    removed: Iterable[bytes],
    placed: Mapping[bytes, Placed],
    found: Mapping[bytes, Found],
    modes: Mapping[bytes, Entry],
    near: Collection[bytes] = frozenset(),
    respelled: Collection[bytes] = frozenset(),
) -> Push:
    """How to put and remove these. `placed` is what rdo has put there; `found` is what is known to be there instead,
    and may be overwritten. `modes` has the directories here, and `near` those that are on one file system there.
    `respelled`: paths that are put, and there by another spelling that is removed, where case does not count.
    """
    made = _Plan(placed, found)
    for path, each in put.items():
        made.put(path, each.entry)
    for path in removed:
        made.remove(path)
    touched = [*put, *made.removed, *made.emptied]
    on_the_way = _on_the_way(touched)
    in_the_way = {path for path in made.cleared if put[path].entry.kind == "directory"}
    plain = sorted((on_the_way | made.directories) - in_the_way)
    replaced = set(made.cleared)
    obstacles = [path for path in made.removed if not made.opened.isdisjoint(parents(path))]
    emptied = sorted(made.emptied, reverse=True)
    opened = [path for path in emptied if not made.opened.isdisjoint(parents(path))]
    bare = {path: modes[path].mode for path in on_the_way if path in modes and is_bare(modes[path])}
    return Push(
        put=put,
        removed=[path for path in made.removed],
        emptied=[path for path in emptied if path not in opened],
        cleared=sorted(made.removed) if respelled else [*sorted(made.cleared), *obstacles],
        is_emptied_first=bool(respelled),
        opened=sorted({*opened, *made.opened}, reverse=True),
        same=made.same,
        none=sorted(
            path
            for path in made.none
            if path not in respelled and replaced.isdisjoint(parents(path))  # a link there leads elsewhere
        ),
        plain=plain,
        unknown=sorted({path.rpartition(b"/")[0] for path in put}.difference(near)),
        unlocked={path: mode | 0o700 for path, mode in bare.items() if path not in put or path in placed},
        modes={**bare, **made.modes},
    )


class _Plan:
    """A push as it is put together."""

    def __init__(self, placed: Mapping[bytes, Placed], found: Mapping[bytes, Found]) -> None:
        self._placed = placed
        self._found = found
        self.same: dict[bytes, str] = {}
        self.none: list[bytes] = []
        self.removed: list[bytes] = []
        self.emptied: list[bytes] = []
        self.cleared: list[bytes] = []
        self.opened: set[bytes] = set()
        self.directories: set[bytes] = set()
        self.modes: dict[bytes, int] = {}

    def _there(self, path: bytes) -> tuple[str, str]:
        """What kind of thing is at the path, and its token."""
        if (found := self._found.get(path)) is not None:
            return found.kind, found.token
        placed = self._placed.get(path)
        return (placed.entry.kind, placed.token) if placed else ("", "")

    def put(self, path: bytes, entry: Entry) -> None:
        kind, token = self._there(path)
        if kind not in ("", "directory"):
            self.same[path] = token
        if entry.kind == "directory":
            self._put_directory(path, entry, kind)
        elif kind == "directory":
            self.opened.add(path)
        elif not kind:
            self.none.append(path)

    def _put_directory(self, path: bytes, entry: Entry, kind: str) -> None:
        self.directories.add(path)
        if kind not in ("", "directory"):
            self.cleared.append(path)
        before = self._placed.get(path)
        is_ours = before is not None and before.entry.kind == "directory" and not before.existed
        if is_bare(entry) if kind != "directory" else is_ours:
            self.modes[path] = entry.mode

    def remove(self, path: bytes) -> None:
        kind, token = self._there(path)
        placed = self._placed.get(path)
        if kind == "directory":
            if placed and placed.entry.kind == "directory" and not placed.existed:
                self.emptied.append(path)
        elif kind:
            self.same[path] = token
            self.removed.append(path)


def _on_the_way(paths: Iterable[bytes]) -> set[bytes]:
    """All directories above these."""
    found: set[bytes] = set()
    for path in paths:
        for parent in parents(path):
            if parent in found:
                break
            found.add(parent)
    return found


def batches(put: Tree) -> Iterator[dict[bytes, Entry]]:
    """The same in parts, each of which can be put by itself: directories come before what is in them."""
    batch: dict[bytes, Entry] = {}
    size = 0
    for path in sorted(put):
        if batch and (len(batch) >= BATCH_COUNT or size + put[path].size > BATCH_SIZE):
            yield batch
            batch, size = {}, 0
        batch[path] = put[path]
        size += put[path].size
    yield batch


def in_the_way(put: Tree, removed: Sequence[bytes]) -> list[bytes]:
    """What of the removed is below something that is put."""
    return [path for path in removed if any(parent in put for parent in parents(path))]
