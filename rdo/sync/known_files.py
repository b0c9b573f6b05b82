"""What rdo has put in a directory of a target, as far as this machine knows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.manifest import Manifest, Placed

SLACK = 1000
"""Lines that a log may have beyond twice those it needs, before it is written afresh."""


class KnownFiles:
    """Kept up to date by whoever pushes."""

    def __init__(self, manifest: Manifest, former: Mapping[bytes, Placed] = MappingProxyType({})) -> None:
        """`former`: what rdo knew that it had put there, before the target's record of it was lost or replaced by
        another one: it is rdo's still, where it is as it was left.
        """
        self.placed: dict[bytes, Placed] = dict(manifest.placed)
        self.entries: dict[bytes, Entry] = {path: each.entry for path, each in self.placed.items()}
        """The same without what the target says of it: a tree."""
        self.uncertain: dict[bytes, tuple[Placed, ...]] = dict(manifest.uncertain)
        """What a push that was interrupted may have put there, or one of which the target's log says nothing."""
        self._former = former
        for path, each in former.items():
            if self.placed.get(path) != each:
                self.uncertain[path] = (*self.uncertain.get(path, ()), each)
        self.resolved: list[bytes] = []
        """Paths of which that has been found out since; the target's log does not say so yet."""
        self.near: set[bytes] = set()
        """Directories that are on one file system with what rdo keeps there."""
        self._lines = manifest.lines

    @property
    def is_settled(self) -> bool:
        """Whether the target's log says all that is known."""
        return not (self.uncertain or self.resolved)

    @property
    def log_is_long(self) -> bool:
        """Whether the target's log is to be written afresh."""
        return self._lines > 2 * len(self.placed) + SLACK

    def versions(self, path: bytes) -> tuple[Placed, ...]:
        """What rdo has put, or may have put, at a path."""
        placed = self.placed.get(path)
        return (*((placed,) if placed else ()), *self.uncertain.get(path, ()))

    def resolve(self, found: Mapping[bytes, Found], is_version: Callable[[Found, Placed], bool]) -> None:
        """Find out what an interrupted push has done: what there is now at the uncertain paths."""
        for path in list(self.uncertain):
            there = found[path]
            version = next((each for each in self.versions(path) if is_version(there, each)), None)
            if version is not None:
                self._keep(path, version._replace(token="" if there.kind == "directory" else there.token))
            elif not there.kind:
                self._drop(path)
            elif path not in self.placed and path in self._former:  # somebody has changed it, but it was rdo's
                self._keep(path, self._former[path]._replace(token=""))
            del self.uncertain[path]
            self.resolved.append(path)

    def lose(self, paths: Iterable[bytes]) -> None:
        """It is not there any more: then it is put again like what is new."""
        for path in paths:
            self._drop(path)

    def adopt(self, path: bytes, placed: Placed) -> None:
        """What is there is what would be put: then it need not be."""
        self._keep(path, placed)
        self.resolved.append(path)

    def record(self, put: Iterable[tuple[bytes, Placed]], removed: Iterable[bytes]) -> None:
        """A push is complete."""
        for path in removed:
            self._drop(path)
            self._lines += 1
        for path, placed in put:
            self._keep(path, placed)
            self._lines += 2
        self.resolved = []

    def replaced_log(self) -> None:
        """The log was written afresh."""
        self._lines = len(self.placed)

    def _keep(self, path: bytes, placed: Placed) -> None:
        self.placed[path] = placed
        self.entries[path] = placed.entry

    def _drop(self, path: bytes) -> None:
        self.placed.pop(path, None)
        self.entries.pop(path, None)
