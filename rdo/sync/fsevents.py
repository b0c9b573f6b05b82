"""Watches a directory with watchfiles, a library that uses FSEvents on macOS, which reports changes anywhere below it.

Events arrive with a delay. So each query writes a file, a cookie, and waits for its event: then all earlier events have
arrived. FSEvents reports lost events, which only happen in bursts, but the library drops that report: so after many
events, everything is assumed to have changed. Only macOS needs this module; the tests run it wherever watchfiles works.
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
"""Milliseconds between two checks for events by the library during a query."""

WAIT = 100
"""Milliseconds after which the library reports that there are no events."""

COOKIE_TIMEOUT = 5
"""Seconds for the event of a cookie to arrive, even on a busy machine."""

WATCH_INTERVAL = 0.5
"""Seconds between two queries while somebody waits for a change."""

COOKIE = b".rdo-sync-cookie-"

MODIFIED = 2
"""watchfiles.Change.modified; the other values are for added and deleted files."""


class FsEventsWatcher:
    """Watches everything below a root."""

    exact = keeps_up = False

    def __init__(self, root: bytes) -> None:
        """`root` is absolute. Raises Unwatchable."""
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
        """Does nothing, since all directories are watched."""

    def retain(self, directories: Collection[bytes]) -> None:
        """Does nothing, since all directories are watched."""

    def changed(self) -> Changed:
        paths: set[bytes] = set()
        replaced: set[bytes] = set()
        events = self._events()
        for change, name in events:
            path = fsencode(name)
            if not path.startswith(self._root + b"/"):
                return EVERYTHING  # the root itself, or an unknown name for it
            path = path[len(self._root) + 1 :]
            if not path.rpartition(b"/")[2].startswith(COOKIE):
                (paths if change == MODIFIED else replaced).add(path)
        return EVERYTHING if len(events) > BURST else Changed(paths, replaced)

    def _events(self) -> set[tuple[Any, str]]:
        """All events so far."""
        found: set[tuple[Any, str]] = set()
        name = b"%b%d-%d" % (COOKIE, os.getpid(), next(self._numbers))
        cookie = self._cookie_directory() + b"/" + name
        deadline = time.monotonic() + COOKIE_TIMEOUT
        seen = False
        try:
            if not self._started:
                next(self._changes)  # it only begins to watch here
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
        """A directory where a file disturbs nobody: `.git`, if that is a directory."""
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
