"""Writes a tar archive of local files while reading them; the archive is never held in memory as a whole."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode
from rdo.sync import tar_header
from rdo.sync.entry import Entry
from rdo.sync.tar_header import SECOND

CHUNK = 256 * 1024
"""Bytes that are read and sent at a time: the size of an SSH packet as rdo negotiates it."""

NO_PARTS: Mapping[bytes, str] = MappingProxyType({})

FILE_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

LINK_ERRORS = (errno.ELOOP, errno.EMLINK, errno.ENXIO)
"""The errors of opening a link or a socket, on Linux and macOS, and on FreeBSD. A FIFO can be opened, without waiting
for a writer."""


class Archive:
    """Files below `root`, and generated texts, as one archive. `digests` has the files that were sent completely, with
    the digests of their contents."""

    def __init__(self, root: bytes, parts: Mapping[bytes, str] = NO_PARTS) -> None:
        """`parts` has the digests of files whose content is on the target already; these are sent empty."""
        self._parts = parts
        self.digests: dict[bytes, str] = {}
        self.size = 0
        """Bytes of files sent so far."""
        self._root = root
        self._now = int(time.time()) * SECOND
        """The time of entries whose own time does not matter."""
        self._written = 0
        self._pieces: list[bytes] = []
        self._held = 0
        self._directory: tuple[bytes, int] | None = None
        """The directory whose files are being read, and its descriptor."""

    def tree(self, prefix: bytes, entries: Mapping[bytes, Entry]) -> Iterator[bytes]:
        """Add these entries, each named by the prefix and its path. Raises RdoError for a file that cannot be read.

        A file that has vanished is left out; one that has become shorter meanwhile is not among the digests.
        """
        try:
            for path in sorted(entries):
                entry = entries[path]
                if entry.kind == "file":
                    yield from self._file(prefix + path, path, entry)
                elif entry.kind == "link":
                    self._put(tar_header.header(prefix + path, entry._replace(mtime_ns=self._now)))
                else:
                    self._put_directory(prefix + path, entry.mode | 0o700)
                if self._held >= CHUNK:
                    yield self._flushed()
        finally:
            self.close()

    def text(self, name: bytes, content: bytes) -> Iterator[bytes]:
        """Add a file with this content."""
        self._put(tar_header.header(name, Entry("file", 0o600, len(content), self._now)))
        for start in range(0, len(content), CHUNK):
            self._put(content[start : start + CHUNK])
            yield self._flushed()
        self._put(tar_header.padding(len(content)))

    def directory(self, name: bytes) -> None:
        """Add an empty directory."""
        self._put_directory(name, 0o700)

    def _put_directory(self, name: bytes, mode: int) -> None:
        self._put(tar_header.header(name + b"/", Entry("directory", mode, mtime_ns=self._now)))

    def end(self) -> Iterator[bytes]:
        """The end of the archive."""
        self._put(tar_header.end(self._written + self._held))
        yield self._flushed()

    def close(self) -> None:
        """Close open descriptors."""
        if self._directory is not None:
            os.close(self._directory[1])
            self._directory = None

    def _put(self, *pieces: bytes) -> None:
        self._pieces += pieces
        self._held += sum(map(len, pieces))

    def _flushed(self) -> bytes:
        data = b"".join(self._pieces)
        self._pieces, self._held = [], 0
        self._written += len(data)
        return data

    def _file(self, name: bytes, path: bytes, entry: Entry) -> Iterator[bytes]:
        if path in self._parts:
            self._put(tar_header.header(name, entry._replace(size=0)))
            self.digests[path] = self._parts[path]
            return
        handle = self._open(path)
        if handle is None:
            return
        try:
            data = _whole(handle, entry.size)
            if data is None:
                yield from self._long_file(name, path, entry, handle)
                return
        finally:
            os.close(handle)
        self._put(tar_header.header(name, entry), data, tar_header.padding(entry.size))
        self.digests[path] = hashlib.sha256(data).hexdigest()
        self.size += entry.size

    def _long_file(self, name: bytes, path: bytes, entry: Entry, handle: int) -> Iterator[bytes]:
        """A file that is sent piece by piece, or that has changed since it was examined."""
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode):
            return
        entry = Entry("file", entry.mode, found.st_size, found.st_mtime_ns)
        self._put(tar_header.header(name, entry))
        digest, rest = hashlib.sha256(), entry.size
        os.lseek(handle, 0, os.SEEK_SET)
        while rest and (data := _read(handle, min(rest, CHUNK), path)):
            digest.update(data)
            rest -= len(data)
            self._put(data)
            if self._held >= CHUNK:
                yield self._flushed()
        if rest == 0:
            self.digests[path] = digest.hexdigest()
            self.size += entry.size
        while rest:  # it has become shorter, but the archive has to match its header
            filler = b"\0" * min(rest, CHUNK)
            rest -= len(filler)
            self._put(filler)
            yield self._flushed()
        self._put(tar_header.padding(entry.size))

    def _open(self, path: bytes) -> int | None:
        """The file's descriptor; None if there is no such file any more. Follows no links."""
        parent, _, name = path.rpartition(b"/")
        try:
            if self._directory is None or self._directory[0] != parent:
                self.close()
                self._directory = (parent, open_directory(self._root, parent))
            return os.open(name, FILE_FLAGS, dir_fd=self._directory[1])
        except OSError as error:
            _check_gone(path, error)
            return None


def open_file(root: bytes, path: bytes) -> int | None:
    """The descriptor of a file below the root, opened without following links; None if it does not exist. Raises
    RdoError."""
    parent, _, name = path.rpartition(b"/")
    try:
        directory = open_directory(root, parent)
        try:
            return os.open(name, FILE_FLAGS, dir_fd=directory)
        finally:
            os.close(directory)
    except OSError as error:
        _check_gone(path, error)
        return None


def _check_gone(path: bytes, error: OSError) -> None:
    """Raise RdoError unless the error means that there is no such file any more."""
    if not isinstance(error, FileNotFoundError | NotADirectoryError) and error.errno not in LINK_ERRORS:
        raise _unreadable(path, error) from None


def open_directory(root: bytes, path: bytes) -> int:
    """The descriptor of a directory below the root, opened without following links. Raises OSError."""
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    handle = os.open(root, flags)
    for name in path.split(b"/") if path else ():
        try:
            below = os.open(name, flags | os.O_NOFOLLOW, dir_fd=handle)
        finally:
            os.close(handle)
        handle = below
    return handle


def digest_of(root: bytes, path: bytes) -> str:
    """The hexadecimal SHA-256 digest of a file's content; empty if it is not a regular file. Raises RdoError."""
    archive = Archive(root)
    for _ in archive.tree(b"", {path: Entry("file")}):
        pass
    return archive.digests.get(path, "")


def content_of(root: bytes, path: bytes, limit: int) -> bytes:
    """A file's content; empty if it is not a regular file, or is larger than `limit`. Raises RdoError."""
    handle = open_file(root, path)
    if handle is None:
        return b""
    try:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            return b""
        return b"".join(iter(lambda: _read(handle, CHUNK, path), b""))
    finally:
        os.close(handle)


def _whole(handle: int, size: int) -> bytes | None:
    """The content of a file of that size, read at once; None if its size differs, or is large."""
    if size >= CHUNK:
        return None
    try:
        data = os.read(handle, size + 1)
    except OSError:
        return None
    return data if len(data) == size else None


def _read(handle: int, size: int, path: bytes) -> bytes:
    try:
        return os.read(handle, size)
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: bytes, error: OSError) -> RdoError:
    what = f"cannot read `{fsdecode(path)}` to copy it to the target"
    return RdoError(what, reason(error), "fix its permissions, or add it to `exclude`")
