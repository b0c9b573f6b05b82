"""Connections to an engine that are kept for later requests: idle ones, and those that wait for an answer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from rdo.drivers.docker.stream import EngineStream

IDLE_LIMIT = 4
"""Most idle connections to keep."""


class KeptStreams:
    """The kept connections of an engine. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards which connections are idle or waiting, and whether the set is closed."""
        self._idle: list[EngineStream] = []
        self._waiting: set[EngineStream] = set()
        self._is_closed = False
        self.is_cut = False

    @property
    def all_wait(self) -> bool:
        """Whether there are connections, and each is waiting for an answer."""
        return bool(self._waiting and not self._idle)

    def take(self) -> EngineStream | None:
        """Take the most recently used connection that is still open. An idle one can have nothing to read but its
        end."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                wire = self._idle.pop()
            try:
                wire.receive(0)
            except TimeoutError:
                return wire
            wire.close()

    def add(self, wire: EngineStream) -> None:
        """Keep a connection, unless there are too many, or the set is closed."""
        with self._lock:
            if len(self._idle) < IDLE_LIMIT and not self._is_closed:
                self._idle.append(wire)
                return
        wire.close()

    @contextlib.contextmanager
    def waiting(self, wire: EngineStream) -> Iterator[None]:
        """A context in which the connection waits for an answer. It is closed if none arrives."""
        with self._lock:
            self._waiting.add(wire)
        try:
            yield
        except BaseException:
            wire.close()
            raise
        finally:
            with self._lock:
                self._waiting.discard(wire)

    def cut(self) -> None:
        """Stop all waiting for answers."""
        with self._lock:
            self.is_cut = True
            waiting = list(self._waiting)
        for wire in waiting:
            wire.close()

    def close(self) -> None:
        """Close the idle connections, and keep no others."""
        with self._lock:
            self._is_closed = True
        self.drop()

    def drop(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()
