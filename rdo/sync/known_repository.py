"""What is remembered of one repository between two looks at it."""

from __future__ import annotations

from collections.abc import Iterable

from rdo.sync.git import Git, Repository, file_stamp

NOTHING: frozenset[bytes] = frozenset()


class KnownRepository:
    """A repository in the tree, or above it. All paths but `prefix` are relative to where it begins in the tree."""

    def __init__(self, repository: Repository, prefix: bytes) -> None:
        """Ask git all that is asked at once. `prefix`: where it begins, with a slash; empty for the root.

        Raises RdoError.
        """
        self.repository = repository
        self.prefix = prefix
        self._index = file_stamp(repository.index_file)
        self.tracked = repository.tracked()
        """All that git tracks: only while the whole tree is looked at, since it is as large."""
        self.forced = repository.forced()
        """What is tracked though it is ignored."""
        self.ways = parents(self.forced)
        """The directories of these."""
        self.unignored = parents(self.tracked - self.forced)
        """Directories of other tracked files, which nothing ignores: likewise only meanwhile."""

    def looked_at(self) -> None:
        """The whole tree was looked at."""
        self.tracked = self.unignored = set()

    def own(self, path: bytes) -> bytes:
        """A path of the tree, as the repository has it."""
        return path[len(self.prefix) :]

    def ignored(self, git: Git, paths: list[bytes]) -> list[bool]:
        """Whether each path of the tree is ignored, leaving aside whether it is tracked. Raises RdoError."""
        return self.repository._replace(git=git).ignored([self.own(path) for path in paths])

    def index_changed(self) -> bool:
        """Whether git has written another index since this was asked last."""
        before, self._index = self._index, file_stamp(self.repository.index_file)
        return before != self._index

    def tracks_other(self, git: Git) -> bool:
        """Whether other files are tracked than before of those that are ignored. Raises RdoError."""
        return self.repository._replace(git=git).forced() != self.forced


def parents(paths: Iterable[bytes]) -> set[bytes]:
    """The directories on the way to the paths."""
    found: set[bytes] = set()
    for path in paths:
        while (path := path.rpartition(b"/")[0]) and path not in found:
            found.add(path)
    return found
