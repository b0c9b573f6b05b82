"""Shells for commands: warm ones that wait, ready, so that a command costs one round trip, and fresh ones else."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from rdo.drivers.base import Caller, ChannelRefused, Driver, Opening, Pty
from rdo.errors import LinkLost
from rdo.pool.connection import Link
from rdo.pool.connections import ROOM_PAUSE, Links, Taken
from rdo.pool.maintenance import Gardener
from rdo.pool.warm_shells import WARM_AGE, WarmShells

ROOM_PATIENCE = 2.0
"""Seconds at most that a command waits for another one's end where no link has room. It waits as long as the last login
took: so a burst of short commands shares one, and nobody waits for more than twice what is needed."""


class Shells:
    """All shells of one target. Usable from any thread."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self.links = Links(driver, login)
        self._driver = driver
        self._warm = WarmShells()
        self._gardener = Gardener(self.links, self._warm, self._lose)
        self._turn = threading.Lock()

    @contextlib.contextmanager
    def lease(self, caller: Caller, pty: Pty | None) -> Iterator[Taken]:
        """A ready shell for one command: a warm one if there is one, on a link that is alive. Raises ConnectError."""
        if any(link.is_ptyless for link in self.links):
            pty = None
        opening = Opening(pty, self._driver.variables(caller))
        warm = self._take_warm(opening)
        taken = warm or self._open(caller, pty)
        with contextlib.ExitStack() as after:
            after.callback(self._warm.leave, taken.link)
            after.enter_context(taken.link.running)
            after.callback(taken.throw_away)
            opened = taken.opening._replace(pty=pty if taken.shell.pty else None)
            self._warm.use(opened, waited=warm is not None)
            if warm and pty is not None:
                warm.shell.channel.resize(pty.size)
            yield taken

    def started(self) -> None:
        """A command is on its way."""
        self._gardener.wake()

    def close(self) -> None:
        """End all links."""
        for taken in self._warm.close():
            taken.throw_away()
        self.links.close()

    def _take_warm(self, opening: Opening) -> Taken | None:
        while (taken := self._warm.take(opening)) is not None:
            with contextlib.ExitStack() as undo:
                undo.callback(taken.throw_away)
                if self._usable(taken):
                    undo.pop_all()
                    return taken
        return None

    def _usable(self, taken: Taken) -> bool:
        if not taken.link.connection.is_alive():
            self._lose(taken.link)
            return False
        return not taken.shell.channel.ended and taken.age(time.monotonic()) < WARM_AGE

    def _lose(self, link: Link) -> None:
        """Forget a dead link and all that waits on it."""
        self._warm.forget(link)
        self.links.discard(link)

    def _open(self, caller: Caller, pty: Pty | None) -> Taken:
        while True:
            attempts = self.links.attempts
            opening = Opening(pty, self._driver.variables(caller))  # which a first connection may have brought
            taken = self._open_on_any(opening) or self._await_room(opening) or self.links.connect(caller, pty, attempts)
            if taken is not None:
                return taken

    def _open_on_any(self, opening: Opening) -> Taken | None:
        """A fresh shell on a link that we hold; None if none has room. Raises ConnectError."""
        return next((taken for link in self.links if (taken := self._open_on(link, opening))), None)

    def _await_room(self, opening: Opening) -> Taken | None:
        """A shell in the room that another command leaves; None if none ends in time. One looks, the others queue."""
        patience = min(self.links.login_time, ROOM_PATIENCE)
        deadline = time.monotonic() + patience
        if not any(self.links) or not self._turn.acquire(timeout=patience):
            return None
        try:
            while time.monotonic() < deadline:
                for link in self.links:
                    link.full = False  # a server counts a session until it has seen its process end
                if taken := self._take_warm(opening) or self._open_on_any(opening):
                    return taken
                with self._warm.changed:
                    self._warm.changed.wait(ROOM_PAUSE)
            return None
        finally:
            self._turn.release()

    def _open_on(self, link: Link, opening: Opening) -> Taken | None:
        """A fresh shell on a link that we hold, at the cost of a warm one of the other kind; None if there is no room.

        Raises ConnectError where the target is there and gives no shell.
        """
        if link.full and not self._make_room(link):
            return None
        if not link.connection.is_alive():
            self._lose(link)
            return None
        try:
            return Taken(link.open_shell(opening), link, opening)
        except ChannelRefused:
            return self._open_on(link, opening)
        except LinkLost:
            self._lose(link)
            return None

    def _make_room(self, link: Link) -> bool:
        waiting = self._warm.take_from(link)
        if waiting is None:  # the lifeline stays: without it, commands could be neither signalled nor ended
            return False
        waiting.throw_away()
        link.full = False
        return True
