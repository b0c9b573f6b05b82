"""The projects that are synchronised with targets, each as long as the target is connected and the project is in
use."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from rdo.fscodec import fsencode
from rdo.pool.target_pool import TargetPool

if TYPE_CHECKING:
    from rdo.sync.project_sync import ProjectSync, SyncPlace


KEPT = 4
"""Synchronisations to keep per project and target, the latest ones: so many profiles may differ. Others are left over
from earlier versions of the config file, each with a list of all files and watches on them."""


class SyncTable:
    """All synchronisations of a control master. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards the table."""
        self._syncs: dict[tuple[int, SyncPlace], ProjectSync] = {}
        """By the number of the pool and the place; the one used last is the last."""

    def of(self, pool: TargetPool, place: SyncPlace, environment: Mapping[str, str]) -> ProjectSync:
        """The synchronisation with a directory of a target, which ends with the pool. Raises RdoError."""
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
        """The synchronisations with a target, as specified in PROTOCOL.md."""
        with self._lock:
            places = [(place.root, place.directory) for number, place in self._syncs if number == pool.number]
        return [{"root": root, "directory": directory} for root, directory in dict.fromkeys(places)]


def _made(pool: TargetPool, place: SyncPlace, environment: Mapping[str, str]) -> ProjectSync:
    from rdo.sync.project_state import ProjectState  # few projects need it
    from rdo.sync.project_sync import ProjectSync

    state = ProjectState(environment, fsencode(place.root), f"{pool.target.driver} {place.target}", place.directory)
    return ProjectSync(place, state)
