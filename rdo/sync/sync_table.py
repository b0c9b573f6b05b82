"""The projects that are kept the same on a target, each while the target is connected, or until others are used."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdo.fscodec import fsencode
from rdo.pool.target_pool import TargetPool

if TYPE_CHECKING:
    from rdo.sync.project_sync import ProjectSync, SyncPlace


KEPT = 4
"""So many of one project on one target are kept, those that were used last: profiles may tell as many apart. Others are
left over from what the config file said before it was changed, each with a list of all files and watches on them."""


class SyncTable:
    """Those of a control master. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the table."""
        self._syncs: dict[tuple[int, SyncPlace], ProjectSync] = {}
        """By the number of the pool and the place; the one that was used last comes last."""

    def of(self, pool: TargetPool, place: SyncPlace, environment: Mapping[str, str]) -> ProjectSync:
        """The one for a directory of a target; it ends with the pool. Raises RdoError."""
        with self._lock:
            is_first = not self._of_pool(pool.number)
            found = self._syncs.pop((pool.number, place), None) or _made(pool, place, environment)
            self._syncs[pool.number, place] = found
            mine = [key for key in self._syncs if (key[0], key[1].root) == (pool.number, place.root)]
            unused = [self._syncs.pop(key) for key in mine[:-KEPT]]
        for each in unused:
            each.close()
        if is_first:
            pool.when_closed(lambda: self._end(pool.number))
            pool.shells.add_chore(lambda: self._drain(pool.number))
            pool.shells.expect_jobs()
        return found

    def _of_pool(self, number: int) -> list[ProjectSync]:
        return [sync for key, sync in self._syncs.items() if key[0] == number]

    def _drain(self, number: int) -> None:
        with self._lock:
            syncs = self._of_pool(number)
        for each in syncs:
            each.drain()

    def _end(self, number: int) -> None:
        with self._lock:
            syncs = self._of_pool(number)
            self._syncs = {key: sync for key, sync in self._syncs.items() if key[0] != number}
        for each in syncs:
            each.close()

    def report(self, pool: TargetPool) -> list[dict[str, str]]:
        """Which of them go to a target, as PROTOCOL.md has it."""
        with self._lock:
            places = [(place.root, place.directory) for number, place in self._syncs if number == pool.number]
        return [{"root": root, "directory": directory} for root, directory in dict.fromkeys(places)]


def _made(pool: TargetPool, place: SyncPlace, environment: Mapping[str, str]) -> ProjectSync:
    from rdo.sync.project_state import ProjectState  # few projects need them
    from rdo.sync.project_sync import ProjectSync

    state = ProjectState(environment, fsencode(place.root), f"{pool.target.driver} {place.target}", place.directory)
    return ProjectSync(place, state)
