"""Forwards the ports that a target's commands listen on, by one script on the target and one thread here.

Both run while there are such commands, and for a while afterwards. What the script prints is specified in
rdo.forward.listening_script.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

from rdo.drivers.base import ChannelRefused
from rdo.errors import ConnectError, LinkLost, SetupError
from rdo.forward import listening_script
from rdo.forward.listening import ListeningPort, parse
from rdo.forward.watched_command import WatchedCommand
from rdo.forward.watched_ports import WatchedPorts
from rdo.pool import shell_job
from rdo.pool.connection import HeldConnection
from rdo.pool.shell_job import JobFailed, ShellJob
from rdo.util import log, threads

NO_SESSION = "the server allows no further session"
"""Why it cannot be found out what commands listen on (MaxSessions)."""

ROOM_INTERVAL = 3.0
"""Seconds until the next attempt to get a session meanwhile. Even that of a command that has just ended counts until
the server has seen the process end."""

LOOK_INTERVAL = 0.42
"""Seconds between two looks. With the time for the way to the target, a port is available half a second after the
command listens."""

SLOW_INTERVAL = 2.0
"""The same if each look starts programs on the target, which takes a hundred times as much."""

FULL_INTERVAL = 10
"""Every so many looks, one is thorough. Otherwise, when one socket is closed and another opened, the number is the
same."""

LINGER_TIMEOUT = 10.0
"""Seconds that the script waits for the next command, so that it is not restarted for each in a row of short ones."""

PORT_GRACE = 0.5
"""Seconds that output with a URL waits for its port, since a server may print it just before it listens."""

PORT_INTERVAL = 0.05
"""Seconds between two looks meanwhile."""

NAMED_LIMIT = 64
"""Ports in the output of a command that are looked for at once. A command that names more is writing about other
machines."""

LINE_LIMIT = 10_000
"""Lines of an answer: more than anybody has sockets."""


class _Refusal(NamedTuple):
    """Why a connection does not run the script, and when to try again, by the monotonic clock."""

    why: str
    retry_at: float


class PortWatch:
    """The watch of one target. Thread-safe."""

    def __init__(self, ports: WatchedPorts) -> None:
        self._ports = ports
        self._changed = threading.Condition()
        """Guards everything below. Not held while a forward starts or ends."""
        self._commands: dict[int, WatchedCommand] = {}
        self._is_running = False
        self._soon = False
        """Whether to look at once."""
        self._refused: WeakKeyDictionary[HeldConnection, _Refusal] = WeakKeyDictionary()
        """Connections that have no room for the script or cannot run it."""

    def begin(self, command: WatchedCommand) -> None:
        """Watch the command, which is running."""
        with self._changed:
            self._commands[command.shell] = command
            self._soon = True
            self._changed.notify_all()
            if self._attempt_at(command.connection) < math.inf:  # there may be room by now
                self._refused.pop(command.connection, None)
            refusal = self._refused.get(command.connection)
            if not self._is_running and refusal is None:
                try:
                    threads.start(self._run, name="ports", broken=self._give_up)
                    self._is_running = True
                except SetupError as error:
                    log.event(f"cannot watch ports: {error}")
        if refusal is not None:
            _trace_refusal(command, refusal.why)

    def end(self, command: WatchedCommand) -> None:
        """Stop watching the command, which has ended."""
        with self._changed:
            if self._commands.get(command.shell) is command:
                del self._commands[command.shell]
            self._changed.notify_all()
        self._ports.release(command)

    def name(self, command: WatchedCommand, port: int) -> None:
        """Note that the command's output names a port on which it may have just begun to listen. Only the first time
        counts."""
        is_news = port not in command.named and len(command.named) < NAMED_LIMIT
        self._ports.name(command, port)
        if is_news and not self._ports.local(port):
            self._look_soon()

    def local_port(self, port: int) -> int:
        """The local port for a port of the target; 0 if there is none."""
        return self._ports.local(port)

    def await_port(self, command: WatchedCommand, port: int) -> int:
        """The same, but waits a moment for the command to listen on the port."""
        deadline = time.monotonic() + PORT_GRACE
        while not (local := self._ports.local(port)) and time.monotonic() < deadline and not command.has_ended:
            self._look_soon()
            with self._changed:
                if not self._is_running or command.connection in self._refused:
                    return 0
                self._changed.wait(PORT_INTERVAL)
        return local

    def _look_soon(self) -> None:
        with self._changed:
            self._soon = True
            self._changed.notify_all()

    # In its thread

    def _run(self) -> None:
        while (connection := self._next_connection()) is not None:
            try:
                with shell_job.started_on(connection, listening_script.SCRIPT, self._check_wanted) as job:
                    with self._changed:
                        self._refused.pop(connection, None)
                    self._watch(job)
            except (ChannelRefused, ConnectError, LinkLost) as error:
                self._refuse(connection, error)

    def _next_connection(self) -> HeldConnection | None:
        """A connection with a running command, once there may be room on it; None when the thread should end."""
        with self._changed:
            while True:
                connections = {each.connection: self._attempt_at(each.connection) for each in self._commands.values()}
                found = min(connections, key=lambda each: connections[each], default=None)
                if found is None or connections[found] == math.inf:
                    self._is_running = False
                    return None
                if (left := connections[found] - time.monotonic()) <= 0:
                    return found
                self._changed.wait(left)

    def _attempt_at(self, connection: HeldConnection) -> float:
        """When to try the connection, by the monotonic clock. Call with the lock held."""
        return self._refused[connection].retry_at if connection in self._refused else 0.0

    def _refuse(self, connection: HeldConnection, error: Exception) -> None:
        is_full = isinstance(error, ChannelRefused)
        refusal = _Refusal(NO_SESSION, time.monotonic() + ROOM_INTERVAL) if is_full else _Refusal(str(error), math.inf)
        with self._changed:
            before = self._refused.get(connection)
            self._refused[connection] = refusal
            commands = [each for each in self._commands.values() if each.connection is connection]
        if before is not None and before.why == refusal.why:
            return
        for command in commands:
            self._ports.release(command)
            _trace_refusal(command, refusal.why)

    def _give_up(self, error: BaseException) -> None:
        """Drop the forwards of the running commands after an unexpected error. The next command starts the watch
        again."""
        with self._changed:
            self._is_running = False
            commands, self._commands = list(self._commands.values()), {}
            self._changed.notify_all()
        for command in commands:
            command.show(f"cannot find out what the command listens on: {log.words(error)}; see `rdoctl log`")
            self._ports.release(command)

    def _check_wanted(self) -> None:
        """Raise LinkLost when no command needs the answer any more."""
        if not self._commands:
            raise LinkLost("nobody waits for an answer")

    def _watch(self, job: ShellJob) -> None:
        """Watch until all commands have ended. Raises JobFailed, LinkLost."""
        lines = job.lines()
        how = next(lines, b"")
        if how == listening_script.NONE:
            raise JobFailed("the target has neither `awk` with /proc nor `lsof`")
        interval = LOOK_INTERVAL if how == listening_script.PROC else SLOW_INTERVAL
        looks = 0
        while (shells := self._await_turn(interval, thorough=looks % FULL_INTERVAL == 0)) is not None:
            looks += 1
            job.write(shells)
            if (found := _answer(lines)) is not None:
                self._update(found)
            else:
                self._ports.show()
            with self._changed:
                self._changed.notify_all()

    def _await_turn(self, interval: float, *, thorough: bool) -> bytes | None:
        """Wait until it is time to look, and return the line to write; None when nothing is left to watch."""
        with self._changed:
            self._changed.wait_for(lambda: not self._commands, PORT_INTERVAL)
            self._changed.wait_for(lambda: self._soon or not self._commands, interval - PORT_INTERVAL)
            if not self._changed.wait_for(lambda: self._commands, LINGER_TIMEOUT):
                return None
            words = [listening_script.LOOK] if thorough or self._soon else []
            self._soon = False
            return b" ".join([*words, *(b"%d" % shell for shell in sorted(self._commands))]) + b"\n"

    def _update(self, found: list[ListeningPort]) -> None:
        with self._changed:
            commands = dict(self._commands)
        self._ports.update([(commands[each.shell], each) for each in found if each.shell in commands])
        with self._changed:
            ended = [command for shell, command in commands.items() if self._commands.get(shell) is not command]
        for command in ended:  # it ended meanwhile
            self._ports.release(command)


def _answer(lines: Iterator[bytes]) -> list[ListeningPort] | None:
    """The script's answer; None if it is the same as before. Raises JobFailed, LinkLost."""
    answer: list[bytes] = []
    for line in islice(lines, LINE_LIMIT):
        if line == listening_script.END:
            return parse(answer[1:]) if answer else None
        answer.append(line)
    raise JobFailed("the target did not answer what it was asked")


def _trace_refusal(command: WatchedCommand, why: str) -> None:
    command.trace(f"cannot find out what the command listens on: {why}")
