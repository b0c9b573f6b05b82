"""What is remembered of a repository between two looks at it."""

from __future__ import annotations

from rdo.sync.ancestors import all_ancestors
from rdo.sync.git import Git, Repository, file_stamp

NOTHING: frozenset[bytes] = frozenset()


class KnownRepository:
    """A repository in the tree, or above it. All paths except `prefix` are relative to the repository's start in the
    tree."""

    def __init__(self, repository: Repository, prefix: bytes) -> None:
        """Ask git everything that is asked only once. `prefix` is where the repository starts, with a slash at its end;
        empty for the root.

        Raises RdoError.
        """
        self.repository = repository
        self.prefix = prefix
        self._index = file_stamp(repository.index_file)
        self.tracked = repository.tracked()
        """Everything that git tracks. Kept only during a full scan, since it is as large as the tree."""
        self.forced = repository.forced()
        """What is tracked although it is ignored."""
        self.forced_directories = all_ancestors(self.forced)
        """The directories that `forced` files are in."""
        self.unignored = all_ancestors(self.tracked - self.forced)
        """The directories that other tracked files are in, which nothing ignores. Also kept only during a full scan."""

    def looked_at(self) -> None:
        """Note that a full scan has ended."""
        self.tracked = self.unignored = set()

    def own(self, path: bytes) -> bytes:
        """A path of the tree, relative to the repository."""
        return path[len(self.prefix) :]

    def ignored(self, git: Git, paths: list[bytes]) -> list[bool]:
        """Whether each path of the tree is ignored, regardless of whether it is tracked. Raises RdoError."""
        return self.repository._replace(git=git).ignored([self.own(path) for path in paths])

    def index_changed(self) -> bool:
        """Whether git has written another index since the last call."""
        before, self._index = self._index, file_stamp(self.repository.index_file)
        return before != self._index

    def tracks_other(self, git: Git) -> bool:
        """Whether the set of tracked files among the ignored ones has changed. Raises RdoError."""
        return self.repository._replace(git=git).forced() != self.forced
