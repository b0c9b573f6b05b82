"""The thread that opens warm shells, throws away old ones, and closes links that are no longer needed.

It does so always after the commands: it waits until one that was just started has ended or has run a while.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from rdo.drivers.base import ChannelRefused, Opening
from rdo.errors import ConnectError, LinkLost, RdoError, SetupError
from rdo.pool.connection import Link
from rdo.pool.connections import Links, Taken
from rdo.pool.warm_shells import WARM_AGE, WarmShells
from rdo.util import crash, threads

REFILL_DELAY = 0.05
"""Seconds that a command runs before the next shell is opened beside it: a short one is over by then."""

SPARE_LINK_AGE = 60.0
"""Seconds until a link beyond the first that carries nothing is closed."""


class Gardener:
    """Of the warm shells on the links to one target."""

    def __init__(self, links: Links, warm: WarmShells, lose: Callable[[Link], None]) -> None:
        """`lose` has a link closed and forgotten, with all that waits on it."""
        self._links = links
        self._warm = warm
        self._lose = lose
        self._thread: threading.Thread | None = None

    def wake(self) -> None:
        """A command is on its way: soon is the time to prepare for the next one."""
        with self._warm.changed:
            if self._thread is None and not self._warm.closed:
                with contextlib.suppress(SetupError):  # then commands get fresh shells
                    self._thread = threads.start(self._garden, name="gardener")
            self._warm.changed.notify()

    def _garden(self) -> None:
        while self._wait_for_work():
            try:
                self._weed()
                if not self._plant():  # else the lifeline has just been told
                    for link in self._links:
                        link.settle()
            except (ChannelRefused, RdoError):
                continue  # the next command meets what is wrong, and says so
            except Exception as error:
                crash.keep(error)

    def _wait_for_work(self) -> bool:
        """Wait for a command to start or end, or for something to grow old; False at the end."""
        with self._warm.changed:
            self._warm.changed.wait(SPARE_LINK_AGE)
            if self._warm.closed:
                return False
            if any(link.running.count for link in self._links):
                self._warm.changed.wait(REFILL_DELAY)
            return not self._warm.closed

    def _weed(self) -> None:
        is_calm = self._warm.unused_for > SPARE_LINK_AGE
        if is_calm:
            self._warm.calm()
        for taken in self._warm.weed():
            taken.throw_away()
        if is_calm:
            for link in list(self._links)[1:]:
                if not link.running.count:
                    self._lose(link)

    def _plant(self) -> bool:
        """Open what is missing of each kind that was asked for of late: whether that was anything."""
        if self._warm.unused_for > WARM_AGE:
            return False
        with contextlib.ExitStack() as undo:
            ready: list[Taken] = []
            for opening in self._warm.kinds:
                for taken in self._begin_missing(opening, undo):
                    with contextlib.suppress(ConnectError, LinkLost):
                        taken.link.wait_until_ready(taken.shell)
                        ready.append(taken)
            for link in {taken.link for taken in ready}:
                link.guard(*(taken.shell.group for taken in ready if taken.link is link))
            if self._warm.add(ready):
                undo.pop_all()
            return bool(ready)

    def _begin_missing(self, opening: Opening, undo: contextlib.ExitStack) -> list[Taken]:
        """Open what is missing of a kind, all at a time: a login shell's start-up files may take long.

        `undo` throws away what was begun, whatever comes between.
        """
        begun: list[Taken] = []
        while self._warm.missing(opening) > len(begun) and (roomy := self._link_with_room()):
            try:
                taken = Taken(roomy.begin_shell(opening, spare=True), roomy, opening)
            except ChannelRefused:
                continue
            except (ConnectError, LinkLost):
                break  # what was begun before must not be forgotten
            begun.append(taken)
            undo.callback(taken.throw_away)
        return begun

    def _link_with_room(self) -> Link | None:
        return next((link for link in self._links if not link.full), None)
