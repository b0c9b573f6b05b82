"""A pull in progress: what it was asked for, what it has found, and what it has done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from rdo.fscodec import fsdecode
from rdo.pool.shell_job import ShellJob
from rdo.remote_sh.bootstrap import takes
from rdo.sync.ancestors import ancestors
from rdo.sync.local_copy import STATE, LocalCopy
from rdo.sync.pull_scan import VANISHED, Scan, Seen
from rdo.sync.receive import Refused

PROTECTED = frozenset({STATE, b".git", b".rdo.conf"})
ODD_NAME = "/bin/sh there is yash, which accepts only characters of its locale"
NOT_FOLLOWED = "a link there is not followed; let `pull` name what it leads to"
ODD_KIND = "fifos, sockets and devices are not taken"
WITHHELD = "files that git or rdo reads are never taken from a target"


class PullPatterns(Protocol):
    """The patterns of what belongs to the target."""

    @property
    def prefixes(self) -> Sequence[bytes]:
        """The directories or files that contain everything that matches; empty for the root itself."""

    def matches(self, path: bytes) -> bool:
        """Whether a path belongs to the target."""


class PullResult(NamedTuple):
    """The result of a pull."""

    pulled: int = 0
    removed: int = 0
    size: int = 0
    """Bytes of files."""
    conflicts: tuple[bytes, ...] = ()
    """Local files that were left as they are because they are not as they were pulled."""
    refused: tuple[Refused, ...] = ()
    """What the target has and this side does not accept."""


class Scanned(NamedTuple):
    """What a target has to be pulled."""

    found: Mapping[bytes, Seen]
    is_whole: bool
    """Whether everything could be examined."""
    is_known: bool
    """Whether this is the target that was pulled from before, rather than one that was set up afresh."""
    refused: Sequence[Refused] = ()
    """What the target cannot be asked for."""


class Pulling(NamedTuple):
    """A pull in progress."""

    job: ShellJob
    mark: bytes
    """A word that nobody can guess, which starts the target's lines and ends its archives."""
    local: LocalCopy
    patterns: PullPatterns
    over: frozenset[bytes]
    shell: str

    def claims(self, path: bytes) -> bool:
        """Whether the path is to be pulled. No target may write a program that git or rdo would run here."""
        return self._is_named(path) and not (self.shell and not takes(self.shell, path))

    def cannot_ask(self, path: bytes) -> bool:
        """Whether the path would be pulled if the target's shell could handle its name."""
        return bool(self.shell) and not takes(self.shell, path) and self._is_named(path)

    def _is_named(self, path: bytes) -> bool:
        return not self.is_protected(path) and self.patterns.matches(path)

    @staticmethod
    def is_protected(path: bytes) -> bool:
        """Whether no target may write to this path."""
        return not PROTECTED.isdisjoint(path.lower().split(b"/"))

    def is_withheld(self, path: bytes) -> bool:
        """Whether the path would be pulled if it were not protected, and none of its parents is in the same case."""
        directory = path.rpartition(b"/")[0]
        return self.is_protected(path) and not self.is_protected(directory) and self.patterns.matches(path)

    def overwrites(self, path: bytes) -> bool:
        """Whether the local path is to be overwritten, whatever is there."""
        return not self.over.isdisjoint((path, *ancestors(path)))

    def scanned(self, scan: Scan, mark: bytes) -> Scanned:
        """What of a complete scan is to be pulled, and what is refused. `mark` is that of the last pull."""
        claimed = {path: seen for path, seen in scan.found.items() if self.claims(path)}
        refused = [Refused(path, ODD_NAME) for path in scan.found if self.cannot_ask(path)]
        refused += [Refused(path, WITHHELD) for path in scan.found if self.is_withheld(path)]
        refused += [Refused(path, ODD_KIND) for path, seen in claimed.items() if seen.kind == "other"]
        refused += [Refused(path, NOT_FOLLOWED) for path in self._links(scan) - claimed.keys()]
        for path, complaint in scan.unread.items():
            if not (why := fsdecode(complaint)).endswith(VANISHED):
                refused.append(Refused(path or b".", f"not all of it can be read: {why}"))
        return Scanned(claimed, not scan.unread, scan.pulls == mark, refused)

    def _links(self, scan: Scan) -> set[bytes]:
        """The links there at which patterns begin, or that lead to that."""
        starts = {each for prefix in self.patterns.prefixes for each in (prefix, *ancestors(prefix))}
        return {path for path in starts if path in scan.found and scan.found[path].kind == "link"}
