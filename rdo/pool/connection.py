"""A connection that is kept open to the target, and the process groups that run over it. Knows nothing of commands."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from rdo.config.forwards import Endpoint
from rdo.drivers.base import ChannelOptions, ChannelRefused, Connection, PtyRefused
from rdo.drivers.link_watch import LinkWatch
from rdo.drivers.target_stream import IncomingStream, RemoteListener, Sink, TargetStream
from rdo.errors import ConnectError
from rdo.pool.lifeline import Lifeline
from rdo.pool.shell import ProcessGroup, Shell, begin_shell
from rdo.remote_sh.bootstrap import is_plain
from rdo.util.active_count import ActiveCount

ROOM_TIMEOUT = 5.0
"""Seconds for a server to notice the end of a session."""

ROOM_INTERVAL = 0.02
"""Seconds between two attempts to find room, since a refusal costs a round trip."""

RELEASE_LIMIT = 8
"""Released groups to collect before the lifeline drops them: dropping many at once costs the target no more than
one."""


class StreamLease(NamedTuple):
    """A connection from the target to a server. Call `release` once it is closed."""

    stream: TargetStream
    release: Callable[[], None]


class IncomingLease(NamedTuple):
    """A connection that a program on the target made to a port where the target listens. Call `release` once it is
    closed."""

    stream: IncomingStream
    release: Callable[[], None]


class HeldConnection:
    """A connection, the process groups that run over it, the lifeline that guards them, and its room for channels."""

    def __init__(self, connection: Connection, make_room: Callable[[HeldConnection], bool] = lambda _: False) -> None:
        """`make_room` closes a shell that waits on it for a command, and says whether there was one."""
        self._connection = connection
        self._make_room = make_room
        self.running = ActiveCount(threading.Condition())
        """The number of commands that use the connection. Its condition guards that number."""
        self.full = False
        """Whether the connection refused a channel, and no channel has been closed since."""
        self.is_ptyless = False
        """Whether the target refuses terminals."""
        self.has_room_beside = True
        """Whether the target allows a session beside the one of a command."""
        self._plain: bool | None = connection.runs_sh or None
        """Whether the login shell can serve as /bin/sh. None if that has not been tried; `_promising` says whether it
        may succeed."""
        self._promising = False
        self._guarded: set[ProcessGroup] = set()
        self._kept: set[ProcessGroup] = set()
        self._released: list[ProcessGroup] = []
        self._lifeline = Lifeline(self.open_beside)
        self._lock = threading.Lock()
        """Guards the groups that run over the connection. Not held while the lifeline is asked for anything."""

    def open_shell(self, opening: ChannelOptions) -> Shell:
        """Open a shell and wait until it is ready. If the target refuses a terminal, the shell has none. Raises
        ChannelRefused, ConnectError, LinkLost."""
        if opening.pty is not None and not self.is_ptyless:
            with contextlib.suppress(PtyRefused):
                return self._open_ready(opening)
            self.is_ptyless = True
        return self._open_ready(opening._replace(pty=None))

    def open_beside(self) -> Shell:
        """A new shell for rdo itself, beside the commands: if there is no room, in that of one which only waits.

        Raises ChannelRefused, ConnectError, LinkLost.
        """
        deadline = 0.0
        while True:
            try:
                return self.open_shell(ChannelOptions())
            except ChannelRefused:
                if self._make_room(self):
                    deadline = time.monotonic() + ROOM_TIMEOUT
                elif time.monotonic() > deadline:
                    self.has_room_beside = False
                    raise
            time.sleep(ROOM_INTERVAL)

    def _open_ready(self, opening: ChannelOptions) -> Shell:
        shell = self.begin_shell(opening)
        self.wait_until_ready(shell)
        return shell

    @property
    def keepalive(self) -> LinkWatch:
        """Reports whether the target still answers over the connection."""
        return self._connection.keepalive

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """A context in which a command uses the connection."""
        with self.running, self._connection.keepalive.in_use():
            yield

    def begin_shell(self, opening: ChannelOptions, *, spare: bool = False) -> Shell:
        """Open a shell that is not ready yet. A `spare` one may fail to get ready. Raises ChannelRefused, LinkLost."""
        plain = spare and self._promising if self._plain is None else self._plain
        try:
            return begin_shell(self._connection, opening, bool(plain) and not opening.login)
        except ChannelRefused:
            self.full = True
            raise

    def wait_until_ready(self, shell: Shell) -> None:
        """Wait until the shell is ready, and learn what kind of login shell there is. Raises ConnectError, LinkLost."""
        try:
            shell.wait_until_ready()
        except ConnectError:
            if shell.plain:
                self._plain = False  # SHELL names a different shell than sshd's ForceCommand starts
            raise
        if shell.plain:
            self._plain = True
        elif not (shell.pty or shell.login):
            self._promising = shell.silent and is_plain(shell.login_shell)

    def guard(self, *groups: ProcessGroup) -> None:
        """Have the process groups ended if the connection is lost. Waits for a while if the lifeline is being opened.

        Released groups are dropped by the same order, which halves the cost for the target and for this side.
        """
        with self._lock:
            is_listed = self._guarded.issuperset(groups)  # nothing to order, then
            released: list[ProcessGroup] = []
            if not is_listed:
                released, self._released = self._released, []
        self._lifeline.guard(groups, instead_of=released)
        with self._lock:
            self._guarded.update(groups)

    def keep(self, group: ProcessGroup) -> None:
        """Let the process group survive a lost connection, even if it was guarded. See `guard_kept`."""
        with self._lock:
            self._kept.add(group)
            listed = group in self._guarded  # a warm shell
            self._guarded.discard(group)
        if listed:
            self._lifeline.leave([group])
        self._lifeline.know(group)

    def release(self, group: ProcessGroup) -> None:
        """Stop guarding the process group at the next `settle`, since another shell will soon be opened, and
        guarded."""
        with self._lock:
            if group in self._guarded or group in self._kept:
                self._released.append(group)
            self._guarded.discard(group)
            self._kept.discard(group)
            is_much = len(self._released) >= RELEASE_LIMIT
        if is_much:
            self.settle()

    def settle(self) -> None:
        """Have the lifeline drop all groups that were released."""
        with self._lock:
            released, self._released = self._released, []
        if released:
            self._lifeline.leave(released)

    def guard_kept(self) -> None:
        """Guard the kept groups as well, so that closing the connection ends them; released groups are left alone."""
        self.settle()
        with self._lock:
            kept, self._kept = self._kept, set()
        self._lifeline.guard(kept)

    def signal(self, group: ProcessGroup, name: str) -> bool:
        """Send a signal (its name without SIG) to the process group. Returns False if that is not possible."""
        return self._lifeline.signal(group, name)

    def is_left(self, group: ProcessGroup) -> bool:
        """Whether a process of the group may still be running, and there is a lifeline to end it."""
        return self._lifeline.is_left(group)

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        """Have the target connect to a server. Raises LinkLost."""
        with contextlib.ExitStack() as used:
            used.enter_context(self._connection.keepalive.in_use())
            stream = self._connection.open_stream(destination, sink, changed)
            return StreamLease(stream, used.pop_all().close)

    def listen(self, at: Endpoint, accept: Callable[[IncomingLease], None]) -> RemoteListener:
        """Have the target listen; see base.Connection. Raises SetupError, LinkLost."""

        def accepted(stream: IncomingStream) -> None:
            used = contextlib.ExitStack()
            used.enter_context(self._connection.keepalive.in_use())
            accept(IncomingLease(stream, used.close))

        return self._connection.listen(at, accepted)

    def start_lifeline(self) -> None:
        """Start opening the lifeline while the first command starts, so that neither waits for the other. Raises
        SetupError."""
        self._lifeline.start()

    def give_up_lifeline(self) -> None:
        """Close the lifeline to make room for a command, on a connection that has no room for both."""
        self.has_room_beside = False
        self._lifeline.close()

    def close(self) -> None:
        """Close the connection, and everything on it."""
        self._lifeline.retire()
        self._connection.close()
