"""The names that a watcher reports, as the directories spell them.

On a file system that minds no case, a file answers to more names than it has: after `mv readme README` both are there
for lstat(2), and a watcher may report either.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Collection, Iterable
from typing import NamedTuple

from rdo.fscodec import fsdecode, fsencode
from rdo.sync.entry import Tree
from rdo.sync.watcher import Changed


class Spelled(NamedTuple):
    """What has changed, and what is gone whatever lstat(2) says of it."""

    changed: Changed
    absent: Collection[bytes]


def spelled(changed: Changed, root: bytes, directories: Iterable[bytes], tree: Tree) -> Spelled:
    """The changes by names that there are, or were in the tree. `directories`: those that were entered."""
    known = {folded(directory): directory for directory in directories}
    again = {folded(path) for path in changed.replaced}
    touched = {folded(path) for path in changed.paths} | again
    places = set()
    for path in list(touched):
        nearest = path
        while (directory := nearest.rpartition(b"/")[0]) not in known:
            nearest = directory
        if nearest != path:  # what is above it was not entered: it is new, or another directory now
            again.add(nearest)
            touched.add(nearest)
        places.add(known[directory])
    there = {path for directory in places for path in _list(root, directory) if folded(path) in touched}
    were = {path for path in tree if path.rpartition(b"/")[0] in places and folded(path) in touched}
    paths = there | were
    return Spelled(Changed(paths, {path for path in paths if folded(path) in again}), were - there)


def _list(root: bytes, directory: bytes) -> list[bytes]:
    try:
        return [directory + b"/" + name if directory else name for name in os.listdir(root + b"/" + directory)]
    except OSError:
        return []  # it is gone, or its reader says why it cannot be read


def folded(path: bytes) -> bytes:
    """A path as a file system compares it that minds neither case nor how an accent is encoded."""
    if path.isascii():
        return path.lower()
    return fsencode(unicodedata.normalize("NFC", fsdecode(path)).casefold())
