"""Shells for commands: warm ones that wait, ready, so that a command costs one round trip, and fresh ones else.

A gardener thread opens warm shells, throws away old ones, and closes links that are no longer needed, always after the
commands: it waits until one that was just started has ended or has run a while.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from rdo import fault, thread
from rdo.drivers.base import Caller, ChannelRefused, Driver, Opening, Pty
from rdo.errors import ConnectError, LinkLost, RdoError, SetupError
from rdo.link import Link
from rdo.links import ROOM_PAUSE, Links, Taken

WARM_AGE = 300.0
"""Seconds that a shell may wait: the environment that its login set up grows old."""

WARM_LIMIT = 8
"""Warm shells of one kind at most, however many commands come at a time: sshd allows 10 channels a connection."""

REFILL_DELAY = 0.05
"""Seconds that a command runs before the next shell is opened beside it: a short one is over by then."""

ROOM_PATIENCE = 2.0
"""Seconds at most that a command waits for another one's end where no link has room. It waits as long as the last login
took: so a burst of short commands shares one, and nobody waits for more than twice what is needed."""

SPARE_LINK_AGE = 60.0
"""Seconds until a link beyond the first that carries nothing is closed."""


class Shells:
    """All shells of one target. Usable from any thread."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self.links = Links(driver, login)
        self._driver = driver
        self._warm: list[Taken] = []
        self._wanted: dict[bool, Opening] = {}
        self._demand = 0
        self._used = time.monotonic()
        self._changed = threading.Condition()
        self._turn = threading.Lock()
        self._closed = False
        self._gardener: threading.Thread | None = None

    @contextlib.contextmanager
    def lease(self, caller: Caller, pty: Pty | None) -> Iterator[Taken]:
        """A ready shell for one command: a warm one if there is one, on a link that is alive. Raises ConnectError."""
        if any(link.is_ptyless for link in self.links):
            pty = None
        opening = Opening(pty, self._driver.variables(caller))
        warm = self._take_warm(opening)
        taken = warm or self._open(caller, pty)
        with contextlib.ExitStack() as after:
            after.callback(self._leave, taken.link)
            after.enter_context(taken.link.running)
            after.callback(self._throw_away, taken)
            with self._changed:
                self._wanted[taken.shell.pty] = taken.opening._replace(pty=pty if taken.shell.pty else None)
                if not warm:
                    self._demand = min(WARM_LIMIT, self._demand + 1)
                self._used = time.monotonic()
            if warm and pty is not None:
                warm.shell.channel.resize(pty.size)
            yield taken

    def _leave(self, link: Link) -> None:
        with self._changed:
            link.full = False
            self._used = time.monotonic()
            self._changed.notify()

    def started(self) -> None:
        """A command is on its way: soon is the time to prepare for the next one."""
        with self._changed:
            if self._gardener is None and not self._closed:
                with contextlib.suppress(SetupError):  # then commands get fresh shells
                    self._gardener = thread.start(self._garden, name="gardener")
            self._changed.notify()

    def close(self) -> None:
        """End all links."""
        with self._changed:
            self._closed = True
            self._changed.notify()
            waiting, self._warm = self._warm, []
        for taken in waiting:
            self._throw_away(taken)
        self.links.close()

    def _take_warm(self, opening: Opening) -> Taken | None:
        while True:
            with self._changed:
                fitting = self._of_kind(opening)
                if not fitting:
                    return None
                taken = fitting[0]
                self._warm.remove(taken)
            with contextlib.ExitStack() as undo:
                undo.callback(self._throw_away, taken)
                if self._usable(taken):
                    undo.pop_all()
                    return taken

    def _usable(self, taken: Taken) -> bool:
        if not taken.link.connection.is_alive():
            self._lose(taken.link)
            return False
        return not taken.shell.channel.ended and time.monotonic() - taken.shell.opened < WARM_AGE

    def _lose(self, link: Link) -> None:
        """Forget a dead link and all that waits on it."""
        with self._changed:
            self._warm = [taken for taken in self._warm if taken.link is not link]
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
                with self._changed:
                    self._changed.wait(ROOM_PAUSE)
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
        with self._changed:
            waiting = next((taken for taken in self._warm if taken.link is link), None)
            if waiting is None:  # the lifeline stays: without it, commands could be neither signalled nor ended
                return False
            self._warm.remove(waiting)
        self._throw_away(waiting)
        link.full = False
        return True

    def _throw_away(self, taken: Taken) -> None:
        try:
            taken.link.release(taken.shell.group)
        finally:
            taken.shell.channel.close()

    # The gardener

    def _garden(self) -> None:
        while self._wait_for_work():
            try:
                self._weed()
                if not self._plant():  # else the lifeline has just been told
                    for link in self.links:
                        link.settle()
            except (ChannelRefused, RdoError):
                continue  # the next command meets what is wrong, and says so
            except Exception as error:
                fault.keep(error)

    def _wait_for_work(self) -> bool:
        """Wait for a command to start or end, or for something to grow old; False at the end."""
        with self._changed:
            self._changed.wait(SPARE_LINK_AGE)
            if self._closed:
                return False
            if any(link.running.count for link in self.links):
                self._changed.wait(REFILL_DELAY)
            return not self._closed

    def _weed(self) -> None:
        now = time.monotonic()
        with self._changed:
            if now - self._used > SPARE_LINK_AGE:
                self._demand = 1
            old = [taken for taken in self._warm if now - taken.shell.opened > WARM_AGE or taken.shell.channel.ended]
            fitting = [self._of_kind(opening)[: self._demand] for opening in self._wanted.values()]
            old += [taken for taken in self._warm if not any(taken in kind for kind in fitting)]
            self._warm = [taken for taken in self._warm if taken not in old]
        for taken in old:
            self._throw_away(taken)
        if now - self._used > SPARE_LINK_AGE:
            for link in list(self.links)[1:]:
                if not link.running.count:
                    self._lose(link)

    def _plant(self) -> bool:
        """Open what is missing of each kind that was asked for of late: whether that was anything."""
        if time.monotonic() - self._used > WARM_AGE:
            return False
        with self._changed:
            kinds = list(self._wanted.values())
        with contextlib.ExitStack() as undo:
            ready: list[Taken] = []
            for opening in kinds:
                begun = self._begin_missing(opening)
                for taken in begun:
                    undo.callback(self._throw_away, taken)
                for taken in begun:
                    with contextlib.suppress(ConnectError, LinkLost):
                        taken.link.wait_until_ready(taken.shell)
                        ready.append(taken)
            for link in {taken.link for taken in ready}:
                link.guard(*(taken.shell.group for taken in ready if taken.link is link))
            with self._changed:
                if not self._closed:
                    self._warm += ready
                    undo.pop_all()
            return bool(ready)

    def _begin_missing(self, opening: Opening) -> list[Taken]:
        """Open what is missing of a kind, all at a time: a login shell's start-up files may take long."""
        begun: list[Taken] = []
        while self._missing(opening) > len(begun) and (roomy := self._link_with_room()):
            try:
                begun.append(Taken(roomy.begin_shell(opening, spare=True), roomy, opening))
            except ChannelRefused:
                continue
            except (ConnectError, LinkLost):
                break  # what was begun before must not be forgotten
        return begun

    def _link_with_room(self) -> Link | None:
        return next((link for link in self.links if not link.full), None)

    def _missing(self, opening: Opening) -> int:
        """How many warm shells of a kind there should be besides those that there are."""
        with self._changed:
            return 0 if self._closed else self._demand - len(self._of_kind(opening))

    def _of_kind(self, opening: Opening) -> list[Taken]:
        """The warm shells that could have been opened so: a terminal's size can be changed, variables cannot."""
        pty, variables = opening.pty is not None, opening.variables
        return [taken for taken in self._warm if taken.shell.pty == pty and taken.opening.variables == variables]
