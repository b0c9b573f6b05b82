"""Watches a directory by watchfiles, the one library for it: on macOS, by FSEvents, which sees all that is below it.

Events come a while after what they report. So each question writes a file, a cookie, and waits for the event of that:
all earlier ones have come then. The library drops FSEvents' report that some were lost, which happens to bursts alone:
so after many events nothing is taken as known. No other system needs this; tests run it wherever watchfiles runs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Collection, Iterator
from typing import Any

from rdo.errors import reason
from rdo.fscodec import fsdecode, fsencode
from rdo.sync.watcher import EVERYTHING, Changed, Unwatchable

BURST = 1000
"""Events from which on some may be missing."""

STEP = 2
"""Milliseconds between two checks of the library for events, while it is asked."""

WAIT = 100
"""Milliseconds after which it says that none came."""

COOKIE_TIMEOUT = 5
"""Seconds within which the event of a cookie comes, even if the machine is busy."""

WATCH_INTERVAL = 0.5
"""Seconds between two questions of somebody who waits for a change."""

COOKIE = b".rdo-sync-cookie-"

MODIFIED = 2
"""watchfiles.Change.modified; the others are added and deleted."""


class FsEventsWatcher:
    """Watches all that is below one root."""

    exact = keeps_up = False

    def __init__(self, root: bytes) -> None:
        """`root`: absolute. Raises Unwatchable."""
        try:
            from watchfiles import watch
        except ImportError as error:
            why = "the Python package `watchfiles` cannot be loaded"
            raise Unwatchable(why, "install it in rdo's environment: `pip install watchfiles`") from error
        self._root = os.path.realpath(root)
        self._numbers = itertools.count(1)
        self._changes: Iterator[Collection[tuple[Any, str]]] = watch(
            fsdecode(self._root),
            watch_filter=None,
            debounce=STEP,
            step=STEP,
            rust_timeout=WAIT,
            yield_on_timeout=True,
            force_polling=False,
        )
        self._started = False
        self._events()

    def watch(self, directory: bytes) -> None:
        """All directories are watched."""

    def retain(self, directories: Collection[bytes]) -> None:
        """None is forgotten."""

    def changed(self) -> Changed:
        paths: set[bytes] = set()
        replaced: set[bytes] = set()
        events = self._events()
        for change, name in events:
            path = fsencode(name)
            if not path.startswith(self._root + b"/"):
                return EVERYTHING  # the root itself, or a name for it that is not known
            path = path[len(self._root) + 1 :]
            if not path.rpartition(b"/")[2].startswith(COOKIE):
                (paths if change == MODIFIED else replaced).add(path)
        return EVERYTHING if len(events) > BURST else Changed(paths, replaced)

    def _events(self) -> set[tuple[Any, str]]:
        """All events up to now."""
        found: set[tuple[Any, str]] = set()
        name = b"%b%d-%d" % (COOKIE, os.getpid(), next(self._numbers))
        cookie = self._cookie_directory() + b"/" + name
        deadline = time.monotonic() + COOKIE_TIMEOUT
        seen = False
        try:
            if not self._started:
                next(self._changes)  # only now it begins to watch
                self._started = True
            os.close(os.open(cookie, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
            while not seen and time.monotonic() < deadline:
                events = next(self._changes)
                found.update(events)
                seen = any(fsencode(path).endswith(name) for _, path in events)
        except (OSError, RuntimeError, StopIteration) as error:
            raise Unwatchable(reason(error)) from error
        finally:
            self._remove(cookie)
        if not seen:
            raise Unwatchable(f"no event came within {COOKIE_TIMEOUT} s")
        return found

    def _cookie_directory(self) -> bytes:
        """Where a file disturbs nobody: in `.git`, if that is a directory."""
        git = self._root + b"/.git"
        return git if os.path.isdir(git) and not os.path.islink(git) else self._root

    def _remove(self, cookie: bytes) -> None:
        with contextlib.suppress(OSError):
            os.unlink(cookie)

    def wait(self, seconds: float) -> None:
        time.sleep(min(seconds, WATCH_INTERVAL))

    def close(self) -> None:
        close = getattr(self._changes, "close", None)
        if close:
            close()
