"""What a watcher of a directory is: it reports each change below it, or that it cannot.

inotify.py is the one for Linux, fsevents.py the one for macOS; without one, all files are looked at for each command.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol

ON_LINUX = sys.platform == "linux"

CHANGES_LIMIT = 20_000
"""Changed paths that are remembered. After more of them, looking at all is as fast."""


class Unwatchable(Exception):
    """The directory cannot be watched, or not any more: why, and what to type to mend it, in the style of RdoError."""

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class Changed(NamedTuple):
    """What may have changed. Paths are relative to the root; they need not exist."""

    paths: Collection[bytes] = ()
    """What may have other contents, another mode, or be gone."""
    replaced: Collection[bytes] = ()
    """Where something else may be than before, with all that is below it."""
    everything: bool = False
    """Nobody knows: all has to be looked at."""

    def __bool__(self) -> bool:
        return bool(self.paths or self.replaced or self.everything)


EVERYTHING = Changed(everything=True)


class Watcher(Protocol):
    """From one thread at a time, but for `wait`."""

    exact: bool
    """Whether the paths are spelled as the directories spell them."""
    keeps_up: bool
    """Whether it costs nothing to ask now and then what has changed, and loses reports if nobody does."""

    def watch(self, directory: bytes) -> None:
        """Report what changes in a directory from now on; to be called before it is listed. Raises Unwatchable."""

    def retain(self, directories: Collection[bytes]) -> None:
        """Forget all directories but these."""

    def changed(self) -> Changed:
        """All that has changed before this call, and was not reported yet. Raises Unwatchable."""

    def wait(self, seconds: float) -> None:
        """Return once something may have changed, or after that time, or when the watcher is closed."""

    def close(self) -> None:
        """Stop watching. May be called again."""


Start = Callable[[bytes], Watcher]
"""Begins to watch a directory, given by its absolute path. Raises Unwatchable."""


def start(root: bytes) -> Watcher:
    """The watcher for this system. Raises Unwatchable."""
    if ON_LINUX:
        from rdo.sync.inotify import InotifyWatcher

        return InotifyWatcher(root)
    from rdo.sync.fsevents import FsEventsWatcher

    return FsEventsWatcher(root)
