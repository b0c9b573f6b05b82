"""A pull that goes on: what it is asked for, what it has found, and what it did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rdo.pool.shell_job import ShellJob
from rdo.remote_sh.bootstrap import takes
from rdo.sync.local_copy import STATE, LocalCopy
from rdo.sync.pull_scan import Seen, way
from rdo.sync.receive import Refused

PROTECTED = frozenset({STATE, b".git", b".rdo.conf"})
WITHHELD = "files that git or rdo reads are never taken from a target"


class PullPatterns(Protocol):
    """What belongs to the target."""

    @property
    def prefixes(self) -> Sequence[bytes]:
        """The directories, or files, in which all of it is; empty for the root itself."""

    def matches(self, path: bytes) -> bool:
        """Whether a path is part of it."""


class PullResult(NamedTuple):
    """What a pull did."""

    pulled: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of files."""
    conflicts: tuple[bytes, ...] = ()
    """What was left as it is here: it is not as it was pulled."""
    refused: tuple[Refused, ...] = ()
    """What the target has and this side does not take."""


class Pulling(NamedTuple):
    """A pull that goes on."""

    job: ShellJob
    mark: bytes
    """What lines of the target's begin with, or archives end with: nobody can guess it."""
    local: LocalCopy
    patterns: PullPatterns
    over: frozenset[bytes]
    shell: str

    def claims(self, path: bytes) -> bool:
        """Whether it is to be pulled. No target may write a program that git or rdo would run here."""
        return self._is_named(path) and not (self.shell and not takes(self.shell, path))

    def cannot_ask(self, path: bytes) -> bool:
        """Whether it would be pulled, but for its name."""
        return bool(self.shell) and not takes(self.shell, path) and self._is_named(path)

    def _is_named(self, path: bytes) -> bool:
        return not self.is_protected(path) and self.patterns.matches(path)

    @staticmethod
    def is_protected(path: bytes) -> bool:
        """Whether no target may write it."""
        return not PROTECTED.isdisjoint(path.lower().split(b"/"))

    def is_withheld(self, path: bytes) -> bool:
        """Whether it would be pulled, but for that, and is not part of something else of which the same is true."""
        directory = path.rpartition(b"/")[0]
        return self.is_protected(path) and not self.is_protected(directory) and self.patterns.matches(path)

    def overwrites(self, path: bytes) -> bool:
        """Whether what is here is overwritten, whatever it is."""
        return not self.over.isdisjoint((path, *way(path)))


class Scanned(NamedTuple):
    """What a target has to be pulled."""

    found: Mapping[bytes, Seen]
    is_whole: bool
    """Whether all could be looked at."""
    is_known: bool
    """Whether the target is the one from which was pulled before, and not one that was set up afresh."""
    refused: Sequence[Refused] = ()
    """What the target cannot be asked for."""
