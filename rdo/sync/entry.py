"""What there is at a path, and how two states of a tree differ. Pure.

A tree is never changed in place. Whoever keeps one can therefore ask with `is` whether anything changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import compress
from operator import is_not
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["file", "link", "directory"]


class Entry(NamedTuple):
    """A file, a symbolic link or a directory.

    Of a link only the text counts, of a directory only the mode: the rest is 0 or empty, so that what is equal to the
    user compares equal.
    """

    kind: Kind
    mode: int = 0
    """Permission bits, with setuid, setgid and sticky: `st_mode & 0o7777`."""
    size: int = 0
    """In bytes."""
    mtime_ns: int = 0
    link: bytes = b""
    """Where a link leads, as it was written."""
    version: int = 0
    """Tells two states of a file of this machine apart though all else is equal: another date was set, or it was
    written twice in one tick of the clock. 0 where it is not known, and then it does not count."""

    def same(self, other: Entry | None) -> bool:
        """Whether this is the same state, as far as both know it."""
        if self == other:
            return True
        return other is not None and not (self.version and other.version) and self[:-1] == other[:-1]


Tree: TypeAlias = Mapping[bytes, Entry]
"""Entries by their paths, in no particular order. Each directory on the way to an entry has one, too; the root has
none."""


class Changes(NamedTuple):
    """What turns one tree into another."""

    put: Tree
    """What is new or different. A path that had another kind is here alone, though it has to be removed first; what was
    below a directory is among `removed` then."""
    removed: list[bytes]
    """What is gone, the contents of a directory before the directory."""

    def __bool__(self) -> bool:
        return bool(self.put or self.removed)


def changes(old: Tree, new: Tree) -> Changes:
    """What turns the old tree into the new one; nothing, at no cost, if they are one object."""
    if old is new:
        return Changes({}, [])
    other = map(is_not, map(old.get, new), new.values())  # most entries are the same object: this takes no Python
    put = {path: entry for path, entry in compress(new.items(), other) if not entry.same(old.get(path))}
    fresh = sum(path not in old for path in put)
    if len(new) - fresh == len(old):  # all that was there is there: no need to go through it
        return Changes(put, [])
    return Changes(put, sorted(old.keys() - new.keys(), reverse=True))
