"""Connections to an engine that are kept for the next question: idle ones, and those on which an answer is awaited."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from rdo.drivers.docker.stream import EngineStream

IDLE_LIMIT = 4
"""Idle connections at most."""


class KeptStreams:
    """Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards which are idle, which are asked, and whether it is the end."""
        self._idle: list[EngineStream] = []
        self._asked: set[EngineStream] = set()
        self._is_closed = False
        self.is_cut = False

    @property
    def all_asked(self) -> bool:
        """Whether an answer is awaited on each, and there are some."""
        return bool(self._asked and not self._idle)

    def take(self) -> EngineStream | None:
        """The one that was used last and is still there: an idle one has nothing to read but its end."""
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
        """Keep it, if there are not too many, and it is not the end."""
        with self._lock:
            if len(self._idle) < IDLE_LIMIT and not self._is_closed:
                self._idle.append(wire)
                return
        wire.close()

    @contextlib.contextmanager
    def asked(self, wire: EngineStream) -> Iterator[None]:
        """An answer is awaited on it, which is closed where none comes."""
        with self._lock:
            self._asked.add(wire)
        try:
            yield
        except BaseException:
            wire.close()
            raise
        finally:
            with self._lock:
                self._asked.discard(wire)

    def cut(self) -> None:
        """Let nobody wait for an answer any longer."""
        with self._lock:
            self.is_cut = True
            asked = list(self._asked)
        for wire in asked:
            wire.close()

    def close(self) -> None:
        """The end: keep none any more."""
        with self._lock:
            self._is_closed = True
        self.drop()

    def drop(self) -> None:
        """Close the idle ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()
