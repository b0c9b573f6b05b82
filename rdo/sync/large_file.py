"""A large file that is sent by itself, before the push that puts it in its place: the rest of it, if some is there."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

from rdo.sync.archive import CHUNK, open_file
from rdo.sync.entry import Entry

LARGE_SIZE = 64 * 1024 * 1024
"""Bytes from which on a file is sent so: as many as are sent again at most if anything else is interrupted."""

_DIGEST = re.compile(rb"[0-9a-f]{64}")


class Part(NamedTuple):
    """What has come of a large file is kept there under a name, until all of it has come."""

    name: str
    digest: str = ""
    size: int = 0


def part_name(path: bytes, entry: Entry) -> str:
    """The same for the same version of a file, as far as can be seen."""
    return hashlib.sha256(b"%d %d %s" % (entry.size, entry.mtime_ns, path)).hexdigest()[:32]


class LargeFile:
    """One that is sent. To be closed."""

    def __init__(self, root: bytes, path: bytes) -> None:
        """Raises RdoError for one that cannot be read."""
        self._handle = open_file(root, path)
        self._digest = hashlib.sha256()
        self._path = path
        self.size = os.fstat(self._handle).st_size if self._handle is not None else 0
        self.sent = 0
        """Bytes of it that are there or on their way."""

    @property
    def is_there(self) -> bool:
        """Whether there is such a file."""
        return self._handle is not None

    def close(self) -> None:
        """Close it."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def skip(self, size: int, digest: str) -> bool:
        """Whether what is there is how this file begins: then it goes on from there, and else from its start."""
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
        """What has been sent; None if the file has become shorter meanwhile."""
        return Part(name, self._digest.hexdigest(), self.size) if self.sent == self.size else None

    def _pieces(self, end: int) -> Iterator[bytes]:
        assert self._handle is not None
        while self.sent < end and (data := os.pread(self._handle, min(CHUNK, end - self.sent), self.sent)):
            self._digest.update(data)
            self.sent += len(data)
            yield data


def answer(lines: Iterator[bytes], last: bytes) -> tuple[int, str]:
    """How much is there of a part, and its digest if that was said; up to a last line, or the end. See sync_part.sh."""
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
