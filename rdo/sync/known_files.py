"""What rdo has put into a directory of a target, as far as this machine knows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from rdo.sync.entry import Entry
from rdo.sync.examine import Found
from rdo.sync.manifest import Manifest, Placed

SLACK = 1000
"""Lines that a log may have beyond twice those it needs, before it is rewritten."""


class KnownFiles:
    """What rdo has put into a directory. Kept up to date by the pusher."""

    def __init__(self, manifest: Manifest, former: Mapping[bytes, Placed] = MappingProxyType({})) -> None:
        """`former` is what rdo knew before the target's record was lost, or replaced by another one. These files still
        count as rdo's where they are as rdo left them."""
        self.placed: dict[bytes, Placed] = dict(manifest.placed)
        self.entries: dict[bytes, Entry] = {path: each.entry for path, each in self.placed.items()}
        """The placed entries as a tree, without what the target reports about them."""
        self.uncertain: dict[bytes, tuple[Placed, ...]] = dict(manifest.uncertain)
        """Versions that an interrupted push, or one that the target's log does not mention, may have put there."""
        self._former = former
        for path, each in former.items():
            if self.placed.get(path) != each:
                self.uncertain[path] = (*self.uncertain.get(path, ()), each)
        self.resolved: list[bytes] = []
        """Paths that have been resolved since, but are not in the target's log yet."""
        self.near: set[bytes] = set()
        """Directories that are on the same file system as rdo's own files there."""
        self._lines = manifest.lines

    @property
    def is_settled(self) -> bool:
        """Whether the target's log contains everything that is known."""
        return not (self.uncertain or self.resolved)

    @property
    def log_is_long(self) -> bool:
        """Whether the target's log should be rewritten."""
        return self._lines > 2 * len(self.placed) + SLACK

    def versions(self, path: bytes) -> tuple[Placed, ...]:
        """The versions that rdo has put, or may have put, at a path."""
        placed = self.placed.get(path)
        return (*((placed,) if placed else ()), *self.uncertain.get(path, ()))

    def resolve(self, found: Mapping[bytes, Found], is_version: Callable[[Found, Placed], bool]) -> None:
        """Resolve the uncertain paths from what is there now after an interrupted push."""
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
        """Note that these paths no longer exist, so that they are put again like new ones."""
        for path in paths:
            self._drop(path)

    def adopt(self, path: bytes, placed: Placed) -> None:
        """Note that a path already is as it would be put."""
        self._keep(path, placed)
        self.resolved.append(path)

    def record(self, put: Iterable[tuple[bytes, Placed]], removed: Iterable[bytes]) -> None:
        """Note that a push is complete."""
        for path in removed:
            self._drop(path)
            self._lines += 1
        for path, placed in put:
            self._keep(path, placed)
            self._lines += 2
        self.resolved = []

    def replaced_log(self) -> None:
        """Note that the log was rewritten."""
        self._lines = len(self.placed)

    def _keep(self, path: bytes, placed: Placed) -> None:
        self.placed[path] = placed
        self.entries[path] = placed.entry

    def _drop(self, path: bytes) -> None:
        self.placed.pop(path, None)
        self.entries.pop(path, None)
