"""By what it shows that a file, or a directory's list of names, is another one than before."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")

Stamp = tuple[int, ...]


def stamp(path: str) -> Stamp:
    """What changes with the file that the path leads to; empty where there is none, or it cannot be looked at.

    Nobody can set back the time of the inode's last change.
    """
    try:
        info = os.stat(path)
    except (OSError, ValueError):
        return ()
    return info.st_ctime_ns, info.st_mtime_ns, info.st_size, info.st_ino, info.st_dev


class Remembered(Generic[T]):
    """What was read of files, for as long as their stamps are the same. For any thread."""

    def __init__(self, read: Callable[[], T], files: Callable[[T], Iterable[str]]) -> None:
        """`files`: the paths of all that `read` looks at where it gives this value."""
        self._read = read
        self._files = files
        self._last: tuple[T, dict[str, Stamp]] | None = None

    def get(self) -> T:
        """It, as it is now. Raises what `read` raises."""
        if self._last is not None:
            value, stamps = self._last
            if all(stamp(path) == before for path, before in stamps.items()):
                return value
        value = self._read()
        stamps = {path: stamp(path) for path in self._files(value)}
        again = self._read()  # since by the first value alone it is not known what to look at
        self._last = (value, stamps) if again == value else None
        return again
