"""The projects that are kept the same on a target, each for as long as the target's connections are."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdo.fscodec import fsencode
from rdo.pool.target_pool import TargetPool

if TYPE_CHECKING:
    from rdo.sync.project_sync import ProjectSync, SyncPlace


class SyncTable:
    """Those of a control master. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the table."""
        self._syncs: dict[tuple[int, SyncPlace], ProjectSync] = {}

    def of(self, pool: TargetPool, place: SyncPlace, environment: Mapping[str, str]) -> ProjectSync:
        """The one for a directory of a target; it ends with the pool. Raises RdoError."""
        key = (pool.number, place)
        found = self._syncs.get(key)
        if found is not None:
            return found
        from rdo.sync.project_state import ProjectState  # few projects need them
        from rdo.sync.project_sync import ProjectSync

        root = fsencode(place.root)
        state = ProjectState(environment, root, f"{pool.target.driver} {place.target}", place.directory)
        made = ProjectSync(place, state)
        with self._lock:
            found = self._syncs.setdefault(key, made)
        if found is not made:
            made.close()
        else:
            pool.when_closed(lambda: self._end(key))
            pool.shells.add_chore(made.drain)
            pool.shells.expect_jobs()
        return found

    def _end(self, key: tuple[int, SyncPlace]) -> None:
        with self._lock:
            sync = self._syncs.pop(key, None)
        if sync is not None:
            sync.close()

    def report(self, pool: TargetPool) -> list[dict[str, str]]:
        """Which of them go to a target, as PROTOCOL.md has it."""
        with self._lock:
            places = [place for number, place in self._syncs if number == pool.number]
        return [{"root": place.root, "directory": place.directory} for place in places]
