"""The container of rdo's own that the connections of a profile share, whomever their commands run as: what is installed
as root is there for the user. It ends with the last of these connections."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import NamedTuple

from rdo.drivers.docker import image as docker_image
from rdo.drivers.docker.engine import Engine
from rdo.drivers.docker.stream import EngineStream


class HeldContainer(NamedTuple):
    """The container; it runs as long as the stream is open."""

    id: str
    image: str
    stream: EngineStream


class SharedContainer:
    """Keeps count of those who use the container. Usable from any thread."""

    def __init__(self) -> None:
        self._held: HeldContainer | None = None
        self._users: dict[str, int] = {}
        self._lock = threading.Lock()

    def acquire(self, is_there: Callable[[str], bool], make: Callable[[], HeldContainer]) -> HeldContainer:
        """The container, if it is there still, else a new one. Raises what `make` raises."""
        with self._lock:
            if self._held is None or not is_there(self._held.id):
                self._held = make()
            self._users[self._held.id] = self._users.get(self._held.id, 0) + 1
            return self._held

    def release(self, held: HeldContainer, engine: Engine) -> None:
        """One that had it does not need it any more: the last one removes it."""
        with self._lock:
            self._users[held.id] -= 1
            if self._users[held.id]:
                return
            del self._users[held.id]
            if self._held is held:
                self._held = None
        docker_image.remove(engine, held.id)
        held.stream.close()
