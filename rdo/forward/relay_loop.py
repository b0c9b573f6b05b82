"""The thread that carries all forwarded connections of one target. Knows neither forwards nor drivers.

A single thread, since with two per connection, 200 connections at once would need 400.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial

from rdo.drivers.base import READ_SIZE
from rdo.drivers.target_stream import DELIVERY_LOCK
from rdo.forward.relay import Relay
from rdo.util import log, threads

ACCEPT_INTERVAL = 0.5
"""Seconds until the next attempt to accept connections when no descriptors are left."""

ACCEPT_LIMIT = 64
"""Connections accepted at a time, before those that are open have their turn."""

FAULT_INTERVAL = 0.1
"""Seconds to pause after an unexpected error in the loop itself, so that it cannot fill the log."""

ENOUGH_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class RelayLoop:
    """Drives listeners and relays. `run_soon` and `wake` may be called from any thread, everything else only by the
    loop."""

    def __init__(self) -> None:
        self.room = memoryview(bytearray(READ_SIZE))
        self.relays: set[Relay] = set()
        self.unflushed: set[Callable[[], None]] = set()
        self.expected = 0
        """Relays that are about to begin. The loop does not end before these have."""
        self.is_over = False
        self._selector = selectors.DefaultSelector()
        self._events: dict[int, int] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        self._woken: set[Relay] = set()
        self._paused: list[tuple[socket.socket, Callable[[socket.socket], None]]] = []
        self._resume = 0.0
        self._ending = False
        # sockets, so that writing to a closed one does no harm
        self._wakeup_writer, self._wakeup_reader = socket.socketpair()
        self._is_awake = False
        """Whether a byte is on its way to the loop, so that no other is needed."""
        for end in (self._wakeup_writer, self._wakeup_reader):
            end.setblocking(False)
        self._selector.register(self._wakeup_reader, selectors.EVENT_READ, self._drain)

    def start(self) -> None:
        """Start the thread. Raises SetupError."""
        threads.start(self._run, name="forward")

    def run_soon(self, act: Callable[[], None]) -> bool:
        """Have the loop call the function. Returns False if the loop is over, and the function will not be called."""
        self._waiting.append(act)
        if self.is_over:  # checked after adding the function; see `_run`
            with contextlib.suppress(ValueError):  # otherwise it has just been called
                self._waiting.remove(act)
                return False
        self._send_wakeup()
        return True

    def wake(self, relay: Relay) -> None:
        """See Loop in rdo.forward.relay."""
        self._woken.add(relay)
        self._send_wakeup()

    def end_when_idle(self) -> None:
        """End the thread, once it has called all functions given so far, and the last relay is over."""
        self.run_soon(self._end)

    def listen(self, listening: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
        """Call `accepted` with each connection to that socket."""
        listening.setblocking(False)
        self._selector.register(listening, selectors.EVENT_READ, lambda: self._accept(listening, accepted))

    def leave(self, listening: socket.socket) -> None:
        """Stop listening, and close the socket."""
        self._paused = [pair for pair in self._paused if pair[0] is not listening]
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(listening)
        listening.close()

    def select(self, fileno: int, events: int, relay: Relay) -> None:
        """See Loop in rdo.forward.relay."""
        before = self._events.get(fileno, 0)
        if events == before:
            return
        if not before:
            self._selector.register(fileno, events, relay.advance)
        elif not events:
            self._selector.unregister(fileno)
        else:
            self._selector.modify(fileno, events, relay.advance)
        self._events[fileno] = events
        if not events:
            del self._events[fileno]

    # In the thread

    def _run(self) -> None:
        while not self.is_over:
            while not self._ending or self.relays or self._waiting or self.expected:
                try:
                    self._take_turn()
                except BaseException as error:
                    log.crash(error)
                    time.sleep(FAULT_INTERVAL)
            self.is_over = True
            if self._waiting:  # checked after setting is_over: later additions see that
                self.is_over = False
        self._selector.close()
        self._wakeup_writer.close()
        self._wakeup_reader.close()

    def _take_turn(self) -> None:
        self._attend(self._timeout())
        if self.unflushed:  # what arrives meanwhile is sent together with it
            self._attend(0)
        while self.unflushed:
            self._attempt(self.unflushed.pop())
        if self._paused and time.monotonic() >= self._resume:
            self._accept_again()

    def _attend(self, timeout: float | None) -> None:
        """Do what can be done now, or within so many seconds; None to wait for something."""
        ready = self._selector.select(timeout)
        with DELIVERY_LOCK:  # wait for it, so that the next look finds more
            pass
        for key, _ in ready:
            self._attempt(key.data)
        for _ in range(len(self._waiting)):
            with contextlib.suppress(IndexError):  # withdrawn by `run_soon`
                self._attempt(self._waiting.popleft())
        for _ in range(len(self._woken)):  # a relay may wake itself again, so that others have their turn
            self._attempt(self._woken.pop().advance)

    def _timeout(self) -> float | None:
        if self._waiting or self._woken:
            return 0.0
        return max(0.0, self._resume - time.monotonic()) if self._paused else None

    @staticmethod
    def _attempt(act: Callable[[], None]) -> None:
        """Call the function. An error in one connection must not affect the others."""
        try:
            act()
        except BaseException as error:
            log.crash(error)
            relay = getattr(act, "__self__", None)
            if isinstance(relay, Relay):
                relay.abort(str(error))

    def _accept(self, listening: socket.socket, accepted: Callable[[socket.socket], None]) -> None:
        for _ in range(ACCEPT_LIMIT):
            try:
                connection, _ = listening.accept()
            except OSError as error:  # the client may have disconnected already
                if error.errno in ENOUGH_FILES:
                    self._selector.unregister(listening)
                    self._paused.append((listening, accepted))
                    self._resume = time.monotonic() + ACCEPT_INTERVAL
                return
            self._attempt(partial(accepted, connection))

    def _accept_again(self) -> None:
        paused, self._paused = self._paused, []
        for listening, accepted in paused:
            self.listen(listening, accepted)

    def _send_wakeup(self) -> None:
        if self._is_awake:
            return
        self._is_awake = True
        with contextlib.suppress(OSError):
            self._wakeup_writer.send(b"\0")

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakeup_reader.recv(64)
        # last: earlier calls of `_send_wakeup` are handled in this turn, and later ones send a byte
        self._is_awake = False

    def _end(self) -> None:
        self._ending = True
