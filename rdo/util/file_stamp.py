"""Detects that a file, or the list of names in a directory, has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

Stamp = tuple[int, ...]


def stamp(path: str) -> Stamp:
    """A value that differs after the file at this path, links followed, has changed; empty if it does not exist or
    cannot be examined.

    It includes the time of the inode's last change, which nobody can set back.
    """
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return ()
    return info.st_ctime_ns, info.st_mtime_ns, info.st_size, info.st_ino, info.st_dev


class Remembered(Generic[T]):
    """A value read from files, which is read again once the stamp of one of these differs. Thread-safe."""

    def __init__(self, read: Callable[[], T], files: Callable[[T], Iterable[str]]) -> None:
        """`files` returns the paths of everything that `read` depends on when it returns this value."""
        self._read = read
        self._files = files
        self._last: tuple[T, dict[str, Stamp]] | None = None

    def get(self) -> T:
        """The current value. Raises what `read` raises."""
        if self._last is not None:
            value, stamps = self._last
            if all(stamp(path) == before for path, before in stamps.items()):
                return value
        value = self._read()
        stamps = {path: stamp(path) for path in self._files(value)}
        again = self._read()  # the stamps were taken after the first read, which alone says which files to look at
        self._last = (value, stamps) if again == value else None
        return again
