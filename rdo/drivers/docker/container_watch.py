"""Whether a container accepts commands, and still has the name by which it was found.

If its engine is on this machine, nothing in between can fall silent; but the container may be paused, so that its
programs continue later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.drivers.docker.container_events import ContainerEvents
from rdo.drivers.docker.inspect import InspectedContainer
from rdo.drivers.keepalive import Keepalive, SignOfLife
from rdo.drivers.link_watch import NoLink
from rdo.util import clock

LIVENESS = 15.0
"""Seconds after an answer of the engine in which a container counts as alive, unless the engine reports otherwise."""


class ContainerWatch(NoLink):
    """The LinkWatch of a container on this machine: a paused container counts as silent."""

    def __init__(
        self,
        look: Callable[[], InspectedContainer | None],
        heard: Callable[[], float],
        events: ContainerEvents,
        name: str,
    ) -> None:
        """`look` asks the engine for the container's state, in bounded time, and returns None if it is gone or there is
        no answer.

        `heard` returns when the engine was last heard from, by a clock that continues while the machine sleeps. `name`
        is the container's.
        """
        super().__init__()
        self._look = look
        self._heard = heard
        self._events = events
        self._seen = events.latest
        self._name = name
        self.is_wanted = False
        """Whether a command has begun since the container was last known to be running, and so may have found it
        paused."""

    def has_name(self, name: str) -> bool:
        """See LinkWatch."""
        self._look_if_due()
        return self._name == name

    def check_alive(self) -> bool:
        """See LinkWatch."""
        self._look_if_due()
        return not (self.ended or self.is_silent)

    def _look_if_due(self) -> None:
        latest = self._events.latest
        if not self.is_silent and latest is self._seen and clock.elapsed() - self._heard() < LIVENESS:
            return
        found = self._look()
        state = found.state if found is not None else None
        self.is_silent = state is not None and state.paused
        self.ended = self.ended or state is None or not (state.runs or state.paused)
        self._name = found.name if found is not None else self._name
        self._seen = latest

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        self.is_wanted = True
        return contextlib.nullcontext()

    def stop(self) -> None:
        """See LinkWatch."""
        super().stop()
        self._events.close()


class RemoteContainerWatch(Keepalive):
    """The LinkWatch of a container on another machine."""

    def __init__(self, sign: SignOfLife, ask: Callable[[], None], end: Callable[[str], None], name: str) -> None:
        """See Keepalive. `name` is the container's, as last reported by the engine."""
        super().__init__(sign, ask, end)
        self.name = name

    def has_name(self, name: str) -> bool:
        """See LinkWatch."""
        return not self.check_alive() or self.name == name
