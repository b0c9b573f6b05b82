"""What has to be done on a target to make it match a tree, and in what order. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice

from rdo.sync.ancestors import all_ancestors, ancestors
from rdo.sync.entry import Entry, Tree
from rdo.sync.examine import Found
from rdo.sync.large_file import LARGE_SIZE
from rdo.sync.manifest import Placed
from rdo.sync.push_job import Push, is_bare

BATCH_SIZE = LARGE_SIZE
"""Bytes of files at a time, which is what is sent again if a large copy is interrupted."""

BATCH_COUNT = 30_000
"""Entries at a time."""

PORTION_COUNT = 200
"""Entries to read before noting them, which takes no longer than the target needs for the data that it has."""


def plan(
    put: Mapping[bytes, Placed],
    removed: Iterable[bytes],
    placed: Mapping[bytes, Placed],
    found: Mapping[bytes, Found],
    modes: Mapping[bytes, Entry],
    near: Collection[bytes] = frozenset(),
    respelled: Collection[bytes] = frozenset(),
) -> Push:
    """Plan how to put and remove these. `placed` is what rdo has put there; `found` is what is known to be there
    instead, and may be overwritten. `modes` has the local directories, and `near` those that are known to be on one
    file system there. `respelled` has paths to put that exist there by another spelling, which is removed, on a file
    system that ignores case."""
    made = _Plan(placed, found, respelled)
    for path in sorted(put):
        made.put(path, put[path].entry)
    for path in removed:
        made.remove(path)
    on_the_way = all_ancestors([*made.moved, *made.removed, *made.emptied])
    bare = {path: modes[path].mode for path in on_the_way if path in modes and is_bare(modes[path])}
    locked = {path: placed[path].entry.mode for path in on_the_way if path in placed and _is_locked(placed[path])}
    opened = made.opened()
    return Push(
        put=put,
        moved=made.moved,
        removed=made.removed,
        emptied=sorted(set(made.emptied).difference(opened), reverse=True),
        is_emptied_first=bool(respelled),
        cleared=sorted(made.removed) if respelled else made.cleared(),
        opened=opened,
        same=made.same,
        none=made.none,
        plain=sorted(on_the_way.union(made.kept) - made.new),
        unknown=sorted({path.rpartition(b"/")[0] for path in made.moved}.difference(near)),
        unlocked={path: mode | 0o700 for path, mode in {**locked, **bare}.items() if path not in put or path in placed},
        modes={**{path: modes[path].mode for path in locked if path in modes}, **bare, **made.modes},
    )


def _is_locked(placed: Placed) -> bool:
    """Whether it is a directory of rdo's whose mode prevents changes in it."""
    return is_bare(placed.entry) and not placed.existed


class _Plan:
    """A push while it is being planned. Each directory comes before its contents."""

    def __init__(
        self, placed: Mapping[bytes, Placed], found: Mapping[bytes, Found], respelled: Collection[bytes]
    ) -> None:
        self._placed = placed
        self._found = found
        self._respelled = respelled
        self.same: dict[bytes, str] = {}
        self.none: list[bytes] = []
        self.removed: list[bytes] = []
        self.emptied: list[bytes] = []
        self._cleared: list[bytes] = []
        self._opened: set[bytes] = set()
        self.moved: list[bytes] = []
        self.new: set[bytes] = set()
        """Directories that do not exist there, and so are sent with all their contents."""
        self.kept: list[bytes] = []
        """Directories that exist there, or may."""
        self.modes: dict[bytes, int] = {}

    def _there(self, path: bytes) -> tuple[str, str]:
        """The kind of what is at the path, and its token."""
        if (found := self._found.get(path)) is not None:
            return found.kind, found.token
        placed = self._placed.get(path)
        return (placed.entry.kind, placed.token) if placed else ("", "")

    def put(self, path: bytes, entry: Entry) -> None:
        kind, token = self._there(path)
        comes_along = path.rpartition(b"/")[0] in self.new
        if kind not in ("", "directory"):
            self.same[path] = token
        elif not kind and not comes_along and path not in self._respelled:
            self.none.append(path)
        if not comes_along:
            self.moved.append(path)
        if entry.kind == "directory":
            self._put_directory(path, entry, kind, comes_along)
        elif kind == "directory":
            self._opened.add(path)

    def _put_directory(self, path: bytes, entry: Entry, kind: str, comes_along: bool) -> None:
        if kind not in ("", "directory"):
            self._cleared.append(path)
        if comes_along or (kind != "directory" and path not in self._respelled):
            self.new.add(path)
        else:
            self.kept.append(path)
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

    def cleared(self) -> list[bytes]:
        """What is removed because something else takes its place."""
        return [*self._cleared, *(path for path in self.removed if self._is_opened(path))]

    def opened(self) -> list[bytes]:
        """The same for directories, the deepest first."""
        return sorted({*self._opened, *filter(self._is_opened, self.emptied)}, reverse=True)

    def _is_opened(self, path: bytes) -> bool:
        """Whether the path is in a directory that is to be removed."""
        return not self._opened.isdisjoint(ancestors(path))


def batches(put: Tree) -> Iterator[dict[bytes, Entry]]:
    """The entries in batches, each of which can be put independently: directories come before their contents."""
    batch: dict[bytes, Entry] = {}
    size = 0
    for path in sorted(put):
        if batch and (len(batch) >= BATCH_COUNT or size + put[path].size > BATCH_SIZE):
            yield batch
            batch, size = {}, 0
        batch[path] = put[path]
        size += put[path].size
    yield batch


def portions(batch: Tree) -> Iterator[Tree]:
    """A batch in portions that take some milliseconds each, in the same order."""
    rest = iter(batch.items())
    while portion := dict(islice(rest, PORTION_COUNT)):
        yield portion


def in_the_way(put: Tree, removed: Sequence[bytes]) -> list[bytes]:
    """The removed paths that are below a path to be put."""
    return [path for path in removed if any(ancestor in put for ancestor in ancestors(path))]
