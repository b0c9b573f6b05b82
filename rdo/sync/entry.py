"""What there is at a path, and how two states of a tree differ. Pure.

A tree is never changed in place. So whoever keeps one can test with `is` whether anything has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_not
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["file", "link", "directory"]


class Entry(NamedTuple):
    """A file, a symbolic link or a directory.

    Only the text of a link and the mode of a directory are compared; their other fields are 0 or empty, so that what is
    equal to the user compares equal.
    """

    kind: Kind
    mode: int = 0
    """Permission bits, with setuid, setgid and sticky: `st_mode & 0o7777`."""
    size: int = 0
    """In bytes."""
    mtime_ns: int = 0
    link: bytes = b""
    """The text of a link."""
    version: int = 0
    """Distinguishes two states of a local file that are otherwise equal, because a date was set, or the file was
    written twice within one tick of the clock. 0 if unknown, in which case it is not compared."""

    def same(self, other: Entry | None) -> bool:
        """Whether this is the same state, as far as both know it."""
        if self == other:
            return True
        return other is not None and not (self.version and other.version) and self[:-1] == other[:-1]


Tree: TypeAlias = Mapping[bytes, Entry]
"""Entries by path, in no particular order. Every parent directory of an entry has an entry, except the root."""


class Changes(NamedTuple):
    """The changes that turn one tree into another."""

    put: Tree
    """What is new or different. If the kind of a path changes, the path is only here, although the old one has to be
    removed first; what was below an old directory is in `removed`."""
    removed: list[bytes]
    """What is gone, with the contents of a directory before the directory."""

    def __bool__(self) -> bool:
        return bool(self.put or self.removed)


def changes(old: Tree, new: Tree) -> Changes:
    """The changes from the old tree to the new one. If both are the same object there are none, at no cost."""
    if old is new:
        return Changes({}, [])
    # most entries are the same object, which this finds without running Python code
    other = map(is_not, map(old.get, new), new.values())
    put = {path: entry for path, entry in compress(new.items(), other) if not entry.same(old.get(path))}
    fresh = sum(path not in old for path in put)
    if len(new) - fresh == len(old):  # everything old still exists, so there is no need to look for removed entries
        return Changes(put, [])
    return Changes(put, sorted(old.keys() - new.keys(), reverse=True))
