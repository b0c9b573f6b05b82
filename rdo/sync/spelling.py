"""Converts the names that a watcher reports into the spelling of the directories.

On a file system that ignores case, lstat(2) accepts more names for a file than it has: after `mv readme README` it
finds both, and a watcher may report either.
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
    """What has changed, and what is gone even if lstat(2) finds it."""

    changed: Changed
    absent: Collection[bytes]


def spelled(changed: Changed, root: bytes, directories: Iterable[bytes], tree: Tree) -> Spelled:
    """The changes by names that exist, or existed in the tree. `directories` are those that were entered."""
    known = {folded(directory): directory for directory in directories}
    again = {folded(path) for path in changed.replaced}
    touched = {folded(path) for path in changed.paths} | again
    places = set()
    for path in list(touched):
        nearest = path
        while (directory := nearest.rpartition(b"/")[0]) not in known:
            nearest = directory
        if nearest != path:  # a parent was not entered: it is new, or another directory now
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
        return []  # it is gone, or whoever reads it reports why that fails


def folded(path: bytes) -> bytes:
    """A path as a file system compares it that ignores case and the encoding of accents."""
    if path.isascii():
        return path.lower()
    return fsencode(unicodedata.normalize("NFC", fsdecode(path)).casefold())
