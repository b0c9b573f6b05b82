"""Programs in a container that wait to connect to a server, since it takes an engine far longer to start one."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from rdo.drivers.docker.engine import EngineError
from rdo.drivers.docker.stream import HijackedStream
from rdo.drivers.docker.stream_script import waiting_script
from rdo.errors import ConnectError

SPARE_LIMIT = 4
"""Programs that wait at a time. A browser opens several connections at once, and each is a shell in the container."""

SPARE_AGE = 600.0
"""Seconds after which a waiting program is no longer used."""


class StreamProgram(NamedTuple):
    """A program that waits for a destination, and the nonce with which it reports how it ended."""

    stream: HijackedStream
    nonce: str
    started: float
    """From time.monotonic()."""

    @property
    def is_usable(self) -> bool:
        """Whether the program is still waiting: it prints nothing before it has a destination."""
        if time.monotonic() - self.started > SPARE_AGE:
            return False
        try:
            self.stream.wire.receive(0.0)
        except TimeoutError:
            return True
        return False


class SparePrograms:
    """The waiting programs of a connection. Thread-safe."""

    def __init__(self, start: Callable[[str], HijackedStream]) -> None:
        """`start` runs a script. No program is started before one is needed."""
        self._start = start
        self._lock = threading.Lock()
        """Guards everything below."""
        self._waiting: list[StreamProgram] = []
        self._starting = 0
        self._is_closed = False

    def take(self) -> StreamProgram:
        """Take a waiting program, or start a new one. Raises EngineError, ConnectError."""
        while True:
            with self._lock:
                program = self._waiting.pop() if self._waiting else None
            if program is None:
                return self._begin()
            if program.is_usable:
                return program
            program.stream.wire.close()

    def refill(self) -> None:
        """Start another program, unless enough are waiting. Takes as long as the engine does."""
        with self._lock:
            if self._is_closed or len(self._waiting) + self._starting >= SPARE_LIMIT:
                return
            self._starting += 1
        program = None
        try:
            program = self._begin()
        except (EngineError, ConnectError):
            pass  # the next connection reports why
        finally:
            with self._lock:
                self._starting -= 1
                is_kept = program is not None and not self._is_closed
                if program is not None and is_kept:
                    self._waiting.append(program)
        if program is not None and not is_kept:
            program.stream.wire.close()

    def close(self) -> None:
        """End the waiting programs."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for program in waiting:
            program.stream.wire.close()

    def _begin(self) -> StreamProgram:
        nonce = os.urandom(16).hex()
        return StreamProgram(self._start(waiting_script(nonce)), nonce, time.monotonic())
