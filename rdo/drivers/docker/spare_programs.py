"""Programs in a container that wait to connect to a server: for an engine to start one takes far longer than that."""

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
"""That wait at a time: a browser opens several connections at once, and each is a shell in the container."""

SPARE_AGE = 600.0
"""Seconds after which one is not used any more."""


class StreamProgram(NamedTuple):
    """One that waits for a destination, and the nonce by which it says how it ended."""

    stream: HijackedStream
    nonce: str
    started: float
    """By time.monotonic()."""

    @property
    def is_usable(self) -> bool:
        """Whether it still waits: it says nothing before it has a destination."""
        if time.monotonic() - self.started > SPARE_AGE:
            return False
        try:
            self.stream.wire.receive(0.0)
        except TimeoutError:
            return True
        return False


class SparePrograms:
    """Those of a connection. Usable from any thread."""

    def __init__(self, start: Callable[[str], HijackedStream]) -> None:
        """`start` runs a script. None is started before one is needed."""
        self._start = start
        self._lock = threading.Lock()
        """Guards what follows."""
        self._waiting: list[StreamProgram] = []
        self._starting = 0
        self._is_closed = False

    def take(self) -> StreamProgram:
        """One that waits, or else a new one. Raises EngineError, ConnectError."""
        while True:
            with self._lock:
                program = self._waiting.pop() if self._waiting else None
            if program is None:
                return self._begin()
            if program.is_usable:
                return program
            program.stream.wire.close()

    def refill(self) -> None:
        """Start another one, unless enough wait. Takes as long as the engine takes."""
        with self._lock:
            if self._is_closed or len(self._waiting) + self._starting >= SPARE_LIMIT:
                return
            self._starting += 1
        program = None
        try:
            program = self._begin()
        except (EngineError, ConnectError):
            pass  # the next connection says why
        finally:
            with self._lock:
                self._starting -= 1
                is_kept = program is not None and not self._is_closed
                if program is not None and is_kept:
                    self._waiting.append(program)
        if program is not None and not is_kept:
            program.stream.wire.close()

    def close(self) -> None:
        """End those that wait."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, []
        for program in waiting:
            program.stream.wire.close()

    def _begin(self) -> StreamProgram:
        nonce = os.urandom(16).hex()
        return StreamProgram(self._start(waiting_script(nonce)), nonce, time.monotonic())
