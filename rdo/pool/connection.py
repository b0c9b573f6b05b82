"""One connection that is held to the target, and the process groups that live on it. Knows nothing of commands."""

from __future__ import annotations

import contextlib
import threading
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

RELEASE_LIMIT = 8
"""Released groups at most until the lifeline drops them: many at a time cost the target as much as one."""


class StreamLease(NamedTuple):
    """A connection from the target to a server; `release` is to be called once it is closed."""

    stream: TargetStream
    release: Callable[[], None]


class IncomingLease(NamedTuple):
    """The same for a connection that somebody there made."""

    stream: IncomingStream
    release: Callable[[], None]


class HeldConnection:
    """A connection, the process groups that live on it, the lifeline that guards them, and its room for channels."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.running = ActiveCount(threading.Condition())
        """Commands that run over it; its condition guards that number."""
        self.full = False
        """Whether it refused a channel, and none has been closed since."""
        self.is_ptyless = False
        """Whether the target refuses terminals."""
        self._plain: bool | None = connection.runs_sh or None
        """Whether the login shell may stand for /bin/sh; None: not tried yet, but maybe `promising`."""
        self._promising = False
        self._guarded: set[ProcessGroup] = set()
        self._kept: set[ProcessGroup] = set()
        self._released: list[ProcessGroup] = []
        self._lifeline = Lifeline(lambda: self.open_shell(ChannelOptions()))
        self._lock = threading.Lock()
        """Guards the groups that live on the connection. Not held while the lifeline is asked for anything."""

    def open_shell(self, opening: ChannelOptions) -> Shell:
        """A new shell, ready, if need be on no terminal. Raises ChannelRefused, ConnectError, LinkLost."""
        if opening.pty is not None and not self.is_ptyless:
            with contextlib.suppress(PtyRefused):
                return self._open_ready(opening)
            self.is_ptyless = True
        return self._open_ready(opening._replace(pty=None))

    def _open_ready(self, opening: ChannelOptions) -> Shell:
        shell = self.begin_shell(opening)
        self.wait_until_ready(shell)
        return shell

    @property
    def keepalive(self) -> LinkWatch:
        """Whether the target still answers over it."""
        return self._connection.keepalive

    @contextlib.contextmanager
    def in_use(self) -> Iterator[None]:
        """A command runs over it."""
        with self.running, self._connection.keepalive.in_use():
            yield

    def begin_shell(self, opening: ChannelOptions, *, spare: bool = False) -> Shell:
        """A new shell that gets ready on its own, or does not and is a `spare` one. Raises ChannelRefused, LinkLost."""
        plain = spare and self._promising if self._plain is None else self._plain
        try:
            return begin_shell(self._connection, opening, bool(plain) and not opening.login)
        except ChannelRefused:
            self.full = True
            raise

    def wait_until_ready(self, shell: Shell) -> None:
        """Wait, and learn what the login shell is. Raises ConnectError, LinkLost."""
        try:
            shell.wait_until_ready()
        except ConnectError:
            if shell.plain:
                self._plain = False  # SHELL names one shell there, and sshd's ForceCommand starts another
            raise
        if shell.plain:
            self._plain = True
        elif not (shell.pty or shell.login):
            self._promising = shell.silent and is_plain(shell.login_shell)

    def guard(self, *groups: ProcessGroup) -> None:
        """Have the process groups ended if the connection is lost. Waits a while for a lifeline that opens.

        What was released is dropped by the same order: one for both costs the target and us half.
        """
        with self._lock:
            is_listed = self._guarded.issuperset(groups)  # then there is nothing to order
            released: list[ProcessGroup] = []
            if not is_listed:
                released, self._released = self._released, []
        self._lifeline.guard(groups, instead_of=released)
        with self._lock:
            self._guarded.update(groups)

    def keep(self, group: ProcessGroup) -> None:
        """Leave the process group alone if the connection is lost, even if it was guarded. See `keep_nothing`."""
        with self._lock:
            self._kept.add(group)
            listed = group in self._guarded  # a shell that waited
            self._guarded.discard(group)
        if listed:
            self._lifeline.leave([group])
        self._lifeline.know(group)

    def release(self, group: ProcessGroup) -> None:
        """Leave the process group alone, from the next `settle` on: the next shell is opened soon, and guarded."""
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

    def keep_nothing(self) -> None:
        """It is about to be closed on purpose: end with it what was to be kept, too, but nothing that was released."""
        self.settle()
        with self._lock:
            kept, self._kept = self._kept, set()
        self._lifeline.guard(kept)

    def signal(self, group: ProcessGroup, name: str) -> bool:
        """Send a signal (its name without SIG) to the process group. False if that cannot be done."""
        return self._lifeline.signal(group, name)

    def is_left(self, group: ProcessGroup) -> bool:
        """Whether a process of the group may still be there, and somebody could end it."""
        return self._lifeline.is_left(group)

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        """Have the target connect to a server. Raises LinkLost."""
        with contextlib.ExitStack() as used:
            used.enter_context(self._connection.keepalive.in_use())
            stream = self._connection.open_stream(destination, sink, changed)
            return StreamLease(stream, used.pop_all().close)

    def listen(self, at: Endpoint, accept: Callable[[IncomingLease], None]) -> RemoteListener:
        """Have the target listen: see the driver's connection. Raises SetupError, LinkLost."""

        def accepted(stream: IncomingStream) -> None:
            used = contextlib.ExitStack()
            used.enter_context(self._connection.keepalive.in_use())
            accept(IncomingLease(stream, used.close))

        return self._connection.listen(at, accepted)

    def start_lifeline(self) -> None:
        """Open the lifeline beside the first command, so that neither waits for the other. Raises SetupError."""
        self._lifeline.start()

    def give_up_lifeline(self) -> None:
        """Close the lifeline, for the room it takes where there is none beside it: the command comes first."""
        self._lifeline.close()

    def close(self) -> None:
        """Close the connection, and all that is on it."""
        self._lifeline.retire()
        self._connection.close()
