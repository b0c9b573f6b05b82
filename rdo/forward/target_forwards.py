"""The forwards of one target: held while somebody wants them, whatever becomes of the connection meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from functools import partial

from rdo.config.forwards import Endpoint, Forward
from rdo.drivers.base import Sink
from rdo.forward.held_forward import HeldForward
from rdo.forward.listener import listen
from rdo.forward.relay_loop import RelayLoop
from rdo.pool.connection import StreamLease
from rdo.pool.target_pool import TargetPool


class TargetForwards:
    """Usable from any thread."""

    def __init__(self, pool: TargetPool) -> None:
        self.pool = pool
        """The latest of the target: another one after a reconnect."""
        self.is_watched = False
        """Whether the end of the pool is heeded."""
        self._lock = threading.Lock()
        """Guards what follows, and the owners of each forward."""
        self._held: list[HeldForward] = []
        self._loop: RelayLoop | None = None

    @property
    def held(self) -> list[HeldForward]:
        """Those that listen."""
        with self._lock:
            return list(self._held)

    def hold(self, owner: Hashable, forward: Forward) -> tuple[HeldForward, bool]:
        """Hold it for the owner: and whether it is new. Raises SetupError."""
        with self._lock:
            for held in self._held:
                if held.forward == forward:
                    held.owners.add(owner)
                    return held, False
            try:
                held = self._begin(forward)
                held.owners.add(owner)
                self._held.append(held)
            finally:
                self._end_unwanted()
            return held, True

    def drop(self, owner: Hashable, kept: Iterable[Forward] = ()) -> None:
        """The owner wants no others than these any more."""
        kept = set(kept)
        with self._lock:
            for held in self._held:
                if held.forward not in kept:
                    held.owners.discard(owner)
            self._end_unwanted()

    def end(self, chosen: Callable[[HeldForward], bool] = lambda held: True) -> int:
        """End those that are chosen, whoever wants them: how many."""
        with self._lock:
            found = [held for held in self._held if chosen(held)]
            for held in found:
                held.owners.clear()
            self._end_unwanted()
            return len(found)

    def _begin(self, forward: Forward) -> HeldForward:
        """Raises SetupError."""
        if self._loop is None:
            loop = RelayLoop()
            loop.start()
            self._loop = loop
        listener = listen(forward.listen, exact=forward.exact)
        return HeldForward(forward, listener, partial(self._open, forward.destination), self._loop)

    def _end_unwanted(self) -> None:
        """With the lock."""
        for held in self._held:
            if not held.owners:
                held.end()
        self._held = [held for held in self._held if held.owners]
        if self._loop is not None and not self._held:
            self._loop.end_when_idle()
            self._loop = None

    def _open(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> StreamLease:
        return self.pool.open_stream(destination, sink, changed)
