"""This machine's side: the project's files that belong here, as they are at the moment.

A watcher reports changes, so that only these need to be examined. Without a watcher, everything is examined each time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping

from rdo.errors import RdoError, reason
from rdo.fscodec import fsdecode, fsencode
from rdo.sync.entry import Tree
from rdo.sync.git import GitFailed
from rdo.sync.rules import SyncRules
from rdo.sync.selection import Selection
from rdo.sync.tree_walk import TreeWalk
from rdo.sync.watcher import EVERYTHING, Changed, Start, Unwatchable, Watcher, start

ROUNDS = 3
"""Times to look again for changes that happened during a look. A file that is moved around is then found at one of its
places."""

GIT_TRIES = 5
"""Attempts to ask git. Failures that are not due to changing files occur within milliseconds."""

RETRY_INTERVAL = 600
"""Seconds between two attempts to watch what could not be watched."""

SCAN_INTERVAL = 1.0
"""Seconds after which something may have changed, if nothing is watched."""


class LocalTree:
    """The files of one project. Thread-safe."""

    def __init__(
        self, root: str, rules: SyncRules, report: Callable[[str], None], start_watcher: Start = start
    ) -> None:
        """`root` is absolute. `report` is called with what the user should know, once, as a line without `rdo: `."""
        self._root = fsencode(root)
        self._selection = Selection(self._root, rules)
        self._report = report
        self._start = start_watcher
        self._watcher: Watcher | None = None
        self._retry = 0.0
        self._reported = False
        self._is_closed = False
        self._identity: object = None
        self._walk = TreeWalk(self._root, self._selection)
        self._pending = EVERYTHING
        """Changes that were reported but not examined yet."""
        self._turn = threading.RLock()
        """Guards everything but `wait`, so that only one thread looks at a time."""

    def settle(self, environment: Mapping[str, str]) -> Tree:
        """All files that belong here, including every write before this call. Returns the same object while they are
        the same. `environment` is that of the caller for whom git runs. Raises RdoError, after which the next call
        starts afresh."""
        with self._turn:
            self._selection.environment = environment
            self._check_root()
            self._drain()
            for _ in range(ROUNDS):
                if not self._look_safely():
                    break
                self._drain()
            return self._walk.tree

    def _look_safely(self) -> bool:
        """Look, and repeat that if git has failed, as it does when a directory disappears while git reads it."""
        for _ in range(GIT_TRIES - 1):
            try:
                return self._look()
            except GitFailed:
                self._drain()
        return self._look()

    def _look(self) -> bool:
        """Examine what has changed, and return whether anything had to be examined."""
        changed, self._pending = self._pending, EVERYTHING  # unless this succeeds
        if changed.everything or self._selection.is_outdated():
            self._scan()
            looked = self._watcher is not None
        else:
            looked = self._update(changed)
        self._pending = Changed() if self._watcher else EVERYTHING
        return looked

    def _scan(self) -> None:
        try:
            self._walk.scan(self._watcher)
        except Unwatchable as error:
            self._give_up(error)
            self._walk.scan(None)

    def _update(self, changed: Changed) -> bool:
        try:
            done = self._walk.update(changed, self._watcher)
        except Unwatchable as error:
            self._give_up(error)
            done = False
        if not done:
            self._scan()
        return bool(changed)

    def drain(self) -> None:
        """Read pending reports so that they do not pile up, as `settle` also does. Cheap."""
        if self._turn.acquire(blocking=False):
            try:
                if self._watcher and self._watcher.keeps_up:
                    self._drain()
            finally:
                self._turn.release()

    def _drain(self) -> None:
        if self._watcher is None:
            return
        try:
            changed = self._watcher.changed()
        except Unwatchable as error:
            self._give_up(error)
            return
        self._pending = _joined(self._pending, changed)

    def _check_root(self) -> None:
        """Start watching the root, also again if it is another directory by now."""
        try:
            found = os.stat(self._root)
        except OSError as error:
            raise RdoError(f"cannot read `{fsdecode(self._root)}`", reason(error)) from error
        identity = (found.st_dev, found.st_ino)
        if identity != self._identity:
            self._stop()
            self._retry = 0.0
        self._identity = identity
        if self._watcher is None and not self._is_closed and time.monotonic() >= self._retry:
            self._pending = EVERYTHING
            try:
                self._watcher = self._start(self._root)
            except Unwatchable as error:
                self._give_up(error)

    def _give_up(self, error: Unwatchable) -> None:
        """Do without a watcher for a while."""
        self._stop()
        self._retry = time.monotonic() + RETRY_INTERVAL
        if not self._reported:
            self._reported = True
            what = f"cannot watch `{fsdecode(self._root)}` for changes, so each command looks at all files"
            self._report(str(RdoError(what, error.why, error.hint)))

    def wait(self, seconds: float) -> None:
        """Return once something may have changed since `settle`, or after that time. Thread-safe."""
        watcher = self._watcher
        if watcher:
            watcher.wait(seconds)
        else:
            time.sleep(min(seconds, SCAN_INTERVAL))

    def close(self) -> None:
        """Stop watching for good. Later calls still return correct answers."""
        self._is_closed = True
        self._stop()

    def _stop(self) -> None:
        with self._turn:
            watcher, self._watcher = self._watcher, None
            self._pending = EVERYTHING
        if watcher:
            watcher.close()


def _joined(some: Changed, others: Changed) -> Changed:
    if some.everything or others.everything:
        return EVERYTHING
    if not others:
        return some
    return Changed({*some.paths, *others.paths}, {*some.replaced, *others.replaced})
