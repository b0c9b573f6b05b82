"""Shells for commands: warm ones, so that a command costs one round trip, and new ones if none is left."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

from rdo.drivers.base import ChannelOptions, ChannelRefused, Target
from rdo.drivers.caller import Caller
from rdo.errors import LinkLost
from rdo.pool.connection import ROOM_INTERVAL, HeldConnection
from rdo.pool.connections import ConnectionSet, Opening, ShellLease
from rdo.pool.maintenance import Maintenance
from rdo.pool.warm_shells import WARM_AGE_LIMIT, WarmShells
from rdo.util import log

REFILL_DELAY = 0.05
"""Seconds that a command runs before another shell is opened. Waking the thread that does so takes time from the
target, and from the thread that relays the output; after a short command, nobody waits for either."""

ROOM_GRACE = 2.0
"""Maximum seconds that a command waits for another one to end if no connection has room. It waits as long as the last
login took, so that a burst of short commands shares one connection, and none waits for more than twice the time
needed."""


class ShellPool:
    """All shells of one target. Thread-safe."""

    def __init__(self, target: Target) -> None:
        self._warm = WarmShells()
        self.connections = ConnectionSet(target, self._make_room)
        self._maintenance = Maintenance(self.connections, self._warm, self._lose)
        self._turn = threading.Lock()
        """Held while a command looks for room: only one does so at a time, for at most ROOM_GRACE and the opening of a
        shell."""

    @contextlib.contextmanager
    def lease(self, caller: Caller, opening: Opening, *, for_job: bool = False) -> Iterator[ShellLease]:
        """A ready shell for one command, or for a job that belongs to it: a warm one if possible, on a connection that
        is alive. Raises ConnectError."""

        def wanted() -> ChannelOptions:
            ptyless = any(connection.is_ptyless for connection in self.connections)
            return opening()._replace(pty=None) if ptyless else opening()

        if any(connection.keepalive.is_doubtful for connection in self.connections):
            caller.progress(f"waiting for an answer from `{self.connections.target.name}`")
        first = wanted()
        pty = first.pty
        warm = self._take_warm(first)
        lease = warm or self._open(caller, wanted)
        begun = time.monotonic()
        with contextlib.ExitStack() as after:
            after.callback(self._prepare_after, begun, for_job=for_job)
            after.callback(self._warm.leave, lease.connection)
            after.enter_context(lease.connection.in_use())
            after.callback(lease.throw_away)
            opened = lease.opening._replace(pty=pty if lease.shell.pty else None)
            self._warm.use(opened, waited=warm is not None, for_job=for_job)
            if warm and pty is not None:
                warm.shell.channel.resize(pty.size)
            yield lease

    def prepare(self) -> None:
        """Open a shell for the next command: after a command has been running for a while, and whenever one has
        ended."""
        self._maintenance.wake()

    def _prepare_after(self, begun: float, *, for_job: bool) -> None:
        """A lease has ended that began then. What follows a short job is its command, which prepares for the next."""
        if not for_job or time.monotonic() > begun + REFILL_DELAY:
            self.prepare()

    def add_chore(self, chore: Callable[[], None]) -> None:
        """Call the function about once a minute while the pool exists. It must not wait."""
        self._maintenance.chores.append(chore)

    def expect_jobs(self) -> None:
        """Keep a shell ready for a job beside each command."""
        self._warm.expect_jobs()

    def close(self, why: str) -> None:
        """Close all connections; `why` is for the log."""
        for lease in self._warm.close():
            with log.contained():
                lease.throw_away()
        self.connections.close(why)

    def _take_warm(self, opening: ChannelOptions) -> ShellLease | None:
        while (lease := self._warm.take(opening)) is not None:
            with contextlib.ExitStack() as undo:
                undo.callback(lease.throw_away)
                if not self._check_alive(lease.connection):
                    if not lease.connection.keepalive.ended and self._warm.add([lease]):
                        undo.pop_all()  # the command waits on it, and uses it if the connection answers after all
                elif not lease.shell.channel.ended and lease.age(time.monotonic()) < WARM_AGE_LIMIT:
                    undo.pop_all()
                    return lease
        return None

    def _check_alive(self, connection: HeldConnection) -> bool:
        """Whether the target answers over this connection. A connection that has ended is forgotten.

        One that is merely silent is not closed, since it may answer after all, and commands may be running over it.
        """
        is_alive = connection.keepalive.check_alive()
        if not is_alive and connection.keepalive.ended:
            self._lose(connection, "it has ended")
        return is_alive

    def _lose(self, connection: HeldConnection, why: str) -> None:
        """Forget a connection that is dead or not needed, and the warm shells on it."""
        self._warm.forget(connection)
        self.connections.discard(connection, why)

    def _open(self, caller: Caller, opening: Opening) -> ShellLease:
        def find_room() -> ShellLease | None:
            wanted = opening()  # the first connection may have changed the answer
            if warm := self._take_warm(wanted):
                return warm
            if self.connections.living:
                caller.progress(f"starting a shell on `{self.connections.target.name}`")
            return self._open_on_any(wanted) or self._await_room(wanted)

        return self.connections.open(caller, opening, find_room)

    def _open_on_any(self, opening: ChannelOptions) -> ShellLease | None:
        """Open a shell on an existing connection; None if none has room. Raises ConnectError."""
        return next((lease for connection in self.connections if (lease := self._open_on(connection, opening))), None)

    def _await_room(self, opening: ChannelOptions) -> ShellLease | None:
        """Open a shell in the room of a command that ends; None if none ends in time. One thread looks, the others
        queue."""
        timeout = min(self.connections.login_time, ROOM_GRACE)
        deadline = time.monotonic() + timeout
        if all(each.keepalive.is_silent for each in self.connections) or not self._turn.acquire(timeout=timeout):
            return None
        try:
            while time.monotonic() < deadline:
                for connection in self.connections:
                    connection.full = False  # a server counts a session until it has seen its process end
                if lease := self._take_warm(opening) or self._open_on_any(opening):
                    return lease
                with self._warm.changed:
                    self._warm.changed.wait(ROOM_INTERVAL)
            return None
        finally:
            self._turn.release()

    def _open_on(self, connection: HeldConnection, opening: ChannelOptions) -> ShellLease | None:
        """Open a shell on an existing connection, closing a warm one of another kind if necessary; None if there is no
        room.

        Raises ConnectError if the target answers but provides no shell.
        """
        while self._check_alive(connection) and (not connection.full or self._make_room(connection)):
            try:
                with connection.in_use():  # if it falls silent meanwhile, it is given up as quickly as under a command
                    return ShellLease(connection.open_shell(opening), connection, opening)
            except ChannelRefused:
                continue
            except LinkLost as error:
                self._lose(connection, str(error))
                return None
        return None

    def _make_room(self, connection: HeldConnection) -> bool:
        waiting = self._warm.take_from(connection)
        if waiting is None:  # keep the lifeline: without it, commands could be neither signalled nor ended
            return False
        waiting.throw_away()
        connection.full = False
        return True
