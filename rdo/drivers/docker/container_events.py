"""Tells that something has become of a container, without a question: the engine says so as it happens."""

from __future__ import annotations

import contextlib
import json
import threading

from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.stream import EngineStream
from rdo.errors import ConnectError

KINDS = ("pause", "unpause", "die", "rename", "destroy")
"""What is of interest: not the programs that begin and end."""

NEWS = b"{"
"""In what comes: an event is an object of JSON. What goes before, the head of the answer, has none."""


class ContainerEvents:
    """Those of one container. Usable from any thread."""

    def __init__(self, wire: EngineStream | None) -> None:
        """Without a `wire`, none come."""
        self._wire = wire
        self._lock = threading.Lock()
        """Guards what follows; held while what has come is read."""
        self._latest = object()

    @property
    def latest(self) -> object:
        """What stands for the latest that has come: another object after each. Does not wait."""
        with self._lock:
            if self._wire is not None:
                self._take(self._wire)
            return self._latest

    def _take(self, wire: EngineStream) -> None:
        with contextlib.suppress(TimeoutError):
            while data := wire.receive(0):
                if NEWS in data:
                    self._latest = object()
            self._latest = object()  # the engine has ended the stream, for whatever reason
            self._wire = None
            wire.close()

    def close(self) -> None:
        """Want no more."""
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def subscribe(engine: Engine, container: str) -> ContainerEvents:
    """Those of this container, from now on; none where the engine gives none."""
    filters = {"type": ["container"], "container": [container], "event": list(KINDS)}
    try:
        return ContainerEvents(engine.watch("/events", {"filters": json.dumps(filters)}))
    except (ConnectError, OSError):
        return ContainerEvents(None)
