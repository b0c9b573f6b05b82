"""Reads from git's index which files are tracked in what state, apart from what lstat(2) reports for them on one
machine. Pure.

`git status` and the like rewrite the index even if only the latter has changed. The format is described in
gitformat-index(5).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_HEADER = 12
_STAT, _FLAGS = 40, 2
_MODE = 24
_EXTENDED = 0x4000
_NAME_LENGTH = 0x0FFF

UNDERSTOOD = (b"sdir",)
"""Mandatory extensions that are understood here: a sparse directory has an entry of its own."""

_PATH = re.compile(rb"(?:.*/)?\.git/(?:(?:modules|worktrees)/.+/)?index", re.DOTALL)


def is_index(path: bytes) -> bool:
    """Whether git keeps an index at this path: that of a repository, of a submodule or of another worktree."""
    return path.endswith(b"/index") and _PATH.fullmatch(path) is not None


def tracked(data: bytes) -> str:
    """A digest of what an index tracks, and in what state; empty if the format is not understood."""
    try:
        return _tracked(data)
    except (ValueError, IndexError):
        return ""


def _tracked(data: bytes) -> str:
    version, count = int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:_HEADER], "big")
    id_size = _id_size(data)
    if data[:4] != b"DIRC" or version not in (2, 3, 4) or not id_size:
        raise ValueError
    digest, end = hashlib.sha256(), _HEADER
    for entry, after in _entries(data, id_size, count, version):
        digest.update(entry)
        end = after
    _check_extensions(data[end:-id_size])
    return digest.hexdigest()


def _id_size(data: bytes) -> int:
    """The size of object names in bytes, which is that of the checksum at the end, which may be left out."""
    for name, size in (("sha256", 32), ("sha1", 20)):
        if data[-size:] in (hashlib.new(name, data[:-size]).digest(), bytes(size)):
            return size
    return 0


def _entries(data: bytes, id_size: int, count: int, version: int) -> Iterator[tuple[bytes, int]]:
    """The tracked part of each entry, and where the next one begins. Raises ValueError, IndexError."""
    at, name = _HEADER, b""
    for _ in range(count):
        mode, object_id = data[at + _MODE : at + _MODE + 4], data[at + _STAT : at + _STAT + id_size]
        begin, start = at, at + _STAT + id_size + _FLAGS
        flags = int.from_bytes(data[start - _FLAGS : start], "big")
        more = b""
        if flags & _EXTENDED:
            more, start = data[start : start + _FLAGS], start + _FLAGS
        if version == 4:
            dropped, start = _number(data, start)
            end = data.index(b"\0", start)
            name, at = name[: len(name) - dropped] + data[start:end], end + 1
        else:
            end = data.index(b"\0", start)
            name, at = data[start:end], begin + (end - begin) // 8 * 8 + 8
        yield b"%b%b%04x%b%b\0" % (mode, object_id, flags & ~_NAME_LENGTH, more, name), at


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, encoded as in a pack, and where it ends."""
    value = data[at] & 0x7F
    while data[at] & 0x80:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 0x7F)
    return value, at + 1


def _check_extensions(data: bytes) -> None:
    """Raise ValueError for an extension without which the index cannot be interpreted."""
    while data:
        name, size = data[:4], int.from_bytes(data[4:8], "big")
        if len(data) < 8 + size or not (name[:1].isupper() or name in UNDERSTOOD):
            raise ValueError
        data = data[8 + size :]
