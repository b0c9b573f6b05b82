"""The connections held to one target: made one at a time, given up when dead. Knows nothing of commands."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.base import Caller, ChannelRefused, Connection, Driver, Pty
from rdo.errors import ConnectError, LinkLost
from rdo.lifeline import Lifeline
from rdo.script import is_plain
from rdo.shell import Shell, begin_shell

ROOM_TIMEOUT = 5.0
"""Seconds for a server to notice the end of a session."""

ROOM_PAUSE = 0.02
"""Seconds between two looks for room: a refusal costs a round trip."""

TOGETHER = 8
"""Released groups of which the lifeline is told at a time, at most: each telling costs the target as much as one."""


class Link:
    """A connection, the process groups that live on it, the lifeline that guards them, and its room for channels."""

    def __init__(self, connection: Connection, login: bool) -> None:
        self.connection = connection
        self.running = 0
        """Commands that run over it."""
        self.full = False
        """Whether it refused a channel, and none has been closed since."""
        self._login = login
        self._plain: bool | None = False if login else connection.runs_sh or None
        """Whether the login shell may stand for /bin/sh; None: not tried yet, but maybe `promising`."""
        self._promising = False
        self._groups: set[int] = set()
        self._kept: set[int] = set()
        self._released: list[int] = []
        self._lifeline = Lifeline(None)
        self._lock = threading.Lock()

    def open_shell(self, pty: Pty | None) -> Shell:
        """A new shell, ready. Raises ChannelRefused, ConnectError, LinkLost."""
        shell = self.begin_shell(pty)
        self.wait_until_ready(shell)
        return shell

    def begin_shell(self, pty: Pty | None, *, spare: bool = False) -> Shell:
        """A new shell that gets ready on its own, or does not and is a `spare` one. Raises ChannelRefused, LinkLost."""
        plain = spare and self._promising if self._plain is None else self._plain
        try:
            return begin_shell(self.connection, pty, self._login, plain)
        except ChannelRefused:
            self.full = True
            raise

    def wait_until_ready(self, shell: Shell) -> None:
        """Wait, and learn what the login shell is. Raises ConnectError, LinkLost."""
        try:
            shell.wait_until_ready()
        except ConnectError:
            if shell.plain:
                self._plain = False  # SHELL says one thing there, and sshd's ForceCommand does another
            raise
        if shell.plain:
            self._plain = True
        elif not shell.pty:
            self._promising = shell.silent and is_plain(shell.login_shell)

    def guard(self, *groups: int) -> None:
        """Have the process groups ended if the link goes. Waits for the lifeline, which is on its way."""
        with self._lock:
            self._renew_lifeline()
            added = [group for group in groups if group not in self._groups]
            if added:
                self._groups.update(added)
                self._tell(*added)

    def keep(self, group: int) -> None:
        """Leave the process group alone if the link goes, whatever was said of it before. See `keep_nothing`."""
        with self._lock:
            self._renew_lifeline()
            self._kept.add(group)
            if group in self._groups:  # a shell that waited
                self._groups.remove(group)
                self._released.append(group)
                self._tell()

    def release(self, group: int) -> None:
        """Leave the process group alone from now on; while commands run beside it, from the next `settle` on."""
        with self._lock:
            self._kept.discard(group)
            if group in self._groups:
                self._groups.remove(group)
                self._released.append(group)
            if self.running <= 1 or len(self._released) >= TOGETHER:
                self._tell()

    def settle(self) -> None:
        """Tell the lifeline of all groups that were released."""
        with self._lock:
            self._tell()

    def keep_nothing(self) -> None:
        """It is about to be closed on purpose: end with it what was to be kept, too, but nothing that was released."""
        with self._lock:
            self._tell(*self._kept)

    def signal(self, group: int, name: str) -> bool:
        """Send a signal (its name without SIG) to the process group. False if that cannot be done."""
        with self._lock:
            return self._lifeline.signal(group, name)

    def start_lifeline(self) -> None:
        """Open the lifeline beside the first command, so that neither waits for the other."""
        begun = threading.Event()
        threading.Thread(target=self._open_lifeline, args=(begun,), name="lifeline", daemon=True).start()
        begun.wait()

    def give_up_lifeline(self) -> None:
        """Close the lifeline, for the room it takes where there is none beside it: the command comes first."""
        with self._lock:
            self._lifeline.close()

    def _open_lifeline(self, begun: threading.Event) -> None:
        with self._lock:
            begun.set()
            self._begin_lifeline()

    def _begin_lifeline(self) -> None:
        with contextlib.suppress(ChannelRefused, ConnectError, LinkLost):
            self._lifeline = Lifeline(self.open_shell(None))

    def _tell(self, *added: int) -> None:
        """Tell the lifeline what has changed. A group that is added may have the number of one that was released."""
        released, self._released = self._released, []
        self._lifeline.update(released, added)

    def _renew_lifeline(self) -> None:
        """Have a lifeline again where it alone has ended: a command without could be neither signalled nor ended."""
        if self._lifeline.ended:
            self._lifeline.close()
            self._begin_lifeline()
            self._lifeline.update((), self._groups)


class Taken(NamedTuple):
    """A shell for one command, and the link that it is on."""

    shell: Shell
    link: Link


def _open_at_last(link: Link, pty: Pty | None) -> Shell:
    """A shell in the lifeline's room, which a server gives free when it has seen that end. Raises ChannelRefused."""
    deadline = time.monotonic() + ROOM_TIMEOUT
    while True:
        try:
            return link.open_shell(pty)
        except ChannelRefused:
            if time.monotonic() > deadline:
                raise
        time.sleep(ROOM_PAUSE)


class Links:
    """All links to a target. Usable from any thread."""

    def __init__(self, driver: Driver, login: bool) -> None:
        self._driver = driver
        self._login = login
        self._links: list[Link] = []
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        self._attempts = 0
        self.login_time = 0.0
        """Seconds that the latest login took, with the questions it asked."""
        self._failure: ConnectError | None = None

    def __iter__(self) -> Iterator[Link]:
        with self._lock:
            return iter(list(self._links))

    @property
    def attempts(self) -> int:
        """How many times it was tried to connect."""
        return self._attempts

    def connect(self, caller: Caller, pty: Pty | None, known: int) -> Taken | None:
        """A shell on a new link; None if another caller made one while this one waited: there may be room on that.

        `known` is the value of `attempts` when the caller found no room. Callers who wait for a login that fails get
        its error, so that nobody is asked for the same password twice. Raises ConnectError.
        """
        if self._connecting.locked():
            caller.progress(f"waiting for another command to connect to `{self._driver.target}`")
        with self._connecting:
            caller.progress(f"connecting to `{self._driver.target}`")
            if self._attempts != known:
                if self._failure is not None:
                    raise self._failure
                return None
            started = time.monotonic()
            try:
                link = Link(self._driver.connect(caller), self._login)
                caller.progress(f"starting a shell on `{self._driver.target}`")
                taken = self._open_first(link, pty)
                self._failure = None
                self.login_time = time.monotonic() - started
            except ConnectError as error:
                self._failure = error
                raise
            finally:
                self._attempts += 1
            with self._lock:
                self._links.append(taken.link)
            return taken

    @staticmethod
    def _open_first(link: Link, pty: Pty | None) -> Taken:
        """The first shell of a link, which nobody else knows yet. Raises ConnectError."""
        try:
            link.start_lifeline()
            try:
                return Taken(link.open_shell(pty), link)
            except ChannelRefused:
                link.give_up_lifeline()
                return Taken(_open_at_last(link, pty), link)
        except (ChannelRefused, LinkLost, ConnectError) as error:
            link.connection.close()
            if isinstance(error, ConnectError):
                raise
            raise ConnectError("the target opens no session", str(error), "see `rdoctl doctor`") from None

    def discard(self, link: Link) -> None:
        """Close a link and forget it."""
        with self._lock:
            if link in self._links:
                self._links.remove(link)
        link.connection.close()

    def close(self) -> None:
        """Close all, and end all that runs over them."""
        for link in self:
            link.keep_nothing()
            self.discard(link)
