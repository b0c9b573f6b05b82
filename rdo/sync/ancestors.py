"""The directories that a path is in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def ancestors(path: bytes) -> Iterator[bytes]:
    """The directories that a path is in, the deepest first, without the root."""
    while path := path.rpartition(b"/")[0]:
        yield path


def all_ancestors(paths: Iterable[bytes]) -> set[bytes]:
    """The directories that any of these paths is in, without the root."""
    found: set[bytes] = set()
    for path in paths:
        for ancestor in ancestors(path):
            if ancestor in found:
                break
            found.add(ancestor)
    return found
