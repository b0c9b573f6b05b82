"""The interface of a directory watcher, which reports each change below a directory, or that it cannot.

inotify.py implements it for Linux, fsevents.py for macOS. Without a watcher, all files are examined for each command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

ON_LINUX = sys.platform == "linux"

CHANGES_LIMIT = 20_000
"""Changed paths to remember. With more than that, examining everything is as fast."""


class Unwatchable(Exception):
    """The directory cannot be watched, or not any more: the reason, and what to type to fix it, as in an RdoError."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class Changed(NamedTuple):
    """What may have changed. Paths are relative to the root, and need not exist."""

    paths: Collection[bytes] = ()
    """Paths that may have other contents or another mode, or be gone."""
    replaced: Collection[bytes] = ()
    """Paths that may have been replaced, with everything below them."""
    everything: bool = False
    """Whether anything may have changed, so that everything has to be examined."""

    def __bool__(self) -> bool:
        return bool(self.paths or self.replaced or self.everything)


EVERYTHING = Changed(everything=True)


class Watcher(Protocol):
    """A watcher. Not thread-safe, except for `wait`."""

    exact: bool
    """Whether the paths are spelled as in the directories."""
    keeps_up: bool
    """Whether asking now and then what has changed is cheap, and reports are lost if nobody does."""

    def watch(self, directory: bytes) -> None:
        """Report changes in a directory from now on. To be called before it is listed. Raises Unwatchable."""

    def retain(self, directories: Collection[bytes]) -> None:
        """Forget all directories except these."""

    def changed(self) -> Changed:
        """All changes before this call that were not reported yet. Raises Unwatchable."""

    def wait(self, seconds: float) -> None:
        """Return once something may have changed, after that time, or when the watcher is closed."""

    def close(self) -> None:
        """Stop watching. May be called again."""


Start = Callable[[bytes], Watcher]
"""Starts to watch a directory, given by its absolute path. Raises Unwatchable."""


def start(root: bytes) -> Watcher:
    """The watcher for this system. Raises Unwatchable."""
    if ON_LINUX:
        from rdo.sync.inotify import InotifyWatcher

        return InotifyWatcher(root)
    from rdo.sync.fsevents import FsEventsWatcher

    return FsEventsWatcher(root)
