"""A large file that is sent on its own, before the push that moves it into place. If part of it is already there, only
the rest is sent."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from rdo.sync.archive import CHUNK, open_file
from rdo.sync.entry import Entry

LARGE_SIZE = 64 * 1024 * 1024
"""Bytes from which on a file is sent on its own. If anything else is interrupted, at most this much is sent again."""

_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Part(NamedTuple):
    """The partial file on the target that collects a large file, and its name there."""

    name: str
    digest: str = ""
    size: int = 0


def part_name(path: bytes, entry: Entry) -> str:
    """A name for the partial file, which is the same for the same version of a file, as far as can be determined."""
    return hashlib.sha256(b"%d %d %s" % (entry.size, entry.mtime_ns, path)).hexdigest()[:32]


class LargeFile:
    """A large file that is being sent. Must be closed."""

    def __init__(self, root: bytes, path: bytes) -> None:
        """Open the file. Raises RdoError if it cannot be read."""
        self._handle = open_file(root, path)
        self._digest = hashlib.sha256()
        self._path = path
        self.size = os.fstat(self._handle).st_size if self._handle is not None else 0
        self.sent = 0
        """Bytes that are on the target or on their way."""

    @property
    def is_there(self) -> bool:
        """Whether the file exists."""
        return self._handle is not None

    def close(self) -> None:
        """Close the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def skip(self, size: int, digest: str) -> bool:
        """Return whether the part on the target is the start of this file. If so, sending continues after it, otherwise
        at the start."""
        if not 0 < size <= self.size:
            return False
        for _ in self._pieces(size):
            pass
        if self._digest.hexdigest() == digest:
            return True
        self._digest, self.sent = hashlib.sha256(), 0
        return False

    def rest(self) -> Iterator[bytes]:
        """What is still to be sent."""
        return self._pieces(self.size)

    def part(self, name: str) -> Part | None:
        """The part as it was sent; None if the file has become shorter meanwhile."""
        return Part(name, self._digest.hexdigest(), self.size) if self.sent == self.size else None

    def _pieces(self, end: int) -> Iterator[bytes]:
        assert self._handle is not None
        while self.sent < end and (data := os.pread(self._handle, min(CHUNK, end - self.sent), self.sent)):
            self._digest.update(data)
            self.sent += len(data)
            yield data


def answer(lines: Iterator[bytes], last: bytes) -> tuple[int, str]:
    """The size of the partial file on the target, and its digest if the target computed it. Reads to the `last` line,
    or to the end. See sync_part.sh."""
    size, digest = -1, ""
    for line in lines:
        if line == last:
            break
        if line.startswith(b"!size "):
            number = line.removeprefix(b"!size ").strip()
            size = int(number) if number.isdigit() and len(number) < 19 else -1
        elif found := _DIGEST.search(line):
            digest = found[0].decode()
    return size, digest
