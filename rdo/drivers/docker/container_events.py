"""Notices that something has happened to a container without a request, since the engine sends events."""

from __future__ import annotations

import contextlib
import json
import threading

from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.stream import EngineStream
from rdo.errors import ConnectError

KINDS = ("pause", "unpause", "die", "rename", "destroy")
"""The events of interest, which do not include the start and end of programs."""

NEWS = b"{"
"""Found in every event, which is a JSON object, but not in the head of the answer before it."""


class ContainerEvents:
    """The events of one container. Thread-safe."""

    def __init__(self, wire: EngineStream | None) -> None:
        """Without a `wire`, there are no events."""
        self._wire = wire
        self._lock = threading.Lock()
        """Guards everything below; held while what has arrived is read."""
        self._latest = object()

    @property
    def latest(self) -> object:
        """An object that stands for the latest event, and is another one after each event. Does not wait."""
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
        """Unsubscribe."""
        with self._lock:
            wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()


def subscribe(engine: Engine, container: str) -> ContainerEvents:
    """Subscribe to the events of this container; there are none if the engine provides none."""
    filters = {"type": ["container"], "container": [container], "event": list(KINDS)}
    try:
        return ContainerEvents(engine.watch("/events", {"filters": json.dumps(filters)}))
    except (ConnectError, OSError):
        return ContainerEvents(None)
