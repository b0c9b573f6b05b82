"""Parses a target's list of what there is to pull. Pure.

Each path is a line that begins with a word that nobody can guess, and so does each report of the script. So neither a
newline in a name nor a lying target can forge another line.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple

from rdo.sync.path_word import is_inside
from rdo.sync.tar_header import SECOND

ENTRY_LIMIT = 2_000_000
"""Entries of one scan."""

STAT = {
    "gnu": "-c '{mark}\t%f %s %y %z %i\t%n'",
    "bsd": "-f '{mark}\t%Xp %z %Fm %Fc %i\t%N'",
}
"""As in push_job.py, with the name."""

VANISHED = "No such file or directory"
"""The end of a complaint about what was removed while it was examined, and so is not missed."""

_TIME = re.compile(r"(-?\d{4,10})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))? \+0000")
_SECONDS = re.compile(r"(-?\d{1,12})(?:\.(\d{1,9}))?")
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_ERA = 146_097 * 86_400
"""Seconds of 400 years, after which the calendar repeats itself."""


class Seen(NamedTuple):
    """A path on the target."""

    kind: str
    """`file`, `link`, `directory` or `other`."""
    mode: int
    """The permission bits, without setuid, setgid and sticky."""
    size: int
    mtime_ns: int
    token: str


_KINDS = {stat.S_IFREG: "file", stat.S_IFLNK: "link", stat.S_IFDIR: "directory"}


class BadScan(ValueError):
    """The target sent something that is not a scan."""


class Scan:
    """Takes lines, yields paths."""

    def __init__(self, mark: bytes, starts: Sequence[bytes]) -> None:
        """`starts` are the paths that are scanned, one after the other."""
        self.found: dict[bytes, Seen] = {}
        self.pulls = b""
        """The mark of the last pull from there."""
        self.fault = b""
        """What is missing there, so that nothing can be scanned."""
        self.unread: dict[bytes, bytes] = {}
        """Paths to scan of which not everything could be examined, and the first complaint about that."""
        self._left = list(starts)
        self._start = mark + b"\t"
        self._word = mark + b"!"
        self._path: bytes | None = None
        self._seen: Seen | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to come."""
        return not self._left

    def receive(self, line: bytes) -> None:
        """Take a line. Raises BadScan."""
        if line.startswith(self._word):
            self.end()
            self._report(*line.removeprefix(self._word).partition(b" ")[::2])
        elif line.startswith(self._start):
            self.end()
            token, tab, name = line.removeprefix(self._start).partition(b"\t")
            if not tab:
                raise BadScan("a line without a name")
            self._seen, self._path = seen(token.decode("ascii", "replace")), name
        elif self._path is not None:
            self._path += b"\n" + line
        else:
            raise BadScan(f"an unknown line: {line[:80]!r}")

    def _report(self, word: bytes, text: bytes) -> None:
        if word == b"scanned" and self._left:
            path = self._left.pop(0)
            status, _, complaint = text.partition(b" ")
            if status != b"0":
                self.unread[path] = complaint
        elif word == b"pulls":
            self.pulls = text
        elif word == b"fault":
            self.fault = text
        else:
            raise BadScan(f"an unknown word: {word[:80]!r}")

    def end(self) -> None:
        """Note the end of a path. Raises BadScan."""
        if self._path is None or self._seen is None:
            return
        path = self._path.removeprefix(b"./")
        if path != b"." and not is_inside(path):
            raise BadScan(f"a path that is not below the directory: {path[:100]!r}")
        if len(self.found) >= ENTRY_LIMIT:
            raise BadScan(f"more than {ENTRY_LIMIT:,} files")
        if path != b".":
            self.found[path] = self._seen
        self._path = self._seen = None


def seen(token: str) -> Seen:
    """Parse what stat(1) has printed. Raises BadScan."""
    mode, _, rest = token.partition(" ")
    size, _, rest = rest.partition(" ")
    try:
        bits = int(mode, 16)
        return Seen(_KINDS.get(stat.S_IFMT(bits), "other"), bits & 0o777, int(size), _nanoseconds(rest), token)
    except (ValueError, OverflowError):
        raise BadScan(f"an unknown state: {token[:100]!r}") from None


def _nanoseconds(text: str) -> int:
    """The time at the start of a text, in nanoseconds since the epoch."""
    if match := _TIME.match(text):
        year, *rest = map(int, match.groups()[:6])
        eras, year = divmod(year, 400)  # datetime has only the years 1 to 9999
        moment = datetime(year + 400, *rest, tzinfo=timezone.utc)  # type: ignore[misc, arg-type]
        seconds = int((moment - _EPOCH).total_seconds()) + (eras - 1) * _ERA
        return seconds * SECOND + _fraction(match[7])
    if match := _SECONDS.match(text):
        return int(match[1]) * SECOND + _fraction(match[2])
    raise BadScan(f"an unknown state: {text[:100]!r}")


def _fraction(digits: str | None) -> int:
    return int((digits or "0").ljust(9, "0"))


def is_safe_link(path: bytes, link: bytes) -> bool:
    """Whether a link at this path stays below the root: `..` may appear only at its start, where it leads up real
    directories, and no more often than there are parents."""
    parts = [part for part in link.split(b"/") if part not in (b"", b".")]
    ups = 0
    while ups < len(parts) and parts[ups] == b"..":
        ups += 1
    return bool(link) and not link.startswith(b"/") and b".." not in parts[ups:] and ups <= path.count(b"/")
