"""Whether a container takes commands, and still has the name by which it was found.

Where its engine is on this machine, nothing lies in between that could fall silent; but it may be paused, and then what
runs in it goes on later.
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
"""Seconds after an answer of the engine for which a container counts as alive, unless the engine says otherwise."""


class ContainerWatch(NoLink):
    """The LinkWatch of a container on this machine: one that is paused is a silent one."""

    def __init__(
        self,
        look: Callable[[], InspectedContainer | None],
        heard: Callable[[], float],
        events: ContainerEvents,
        name: str,
    ) -> None:
        """`look` asks the engine how the container is, within a bounded time; None where it is gone or does not say.

        `heard` gives when the engine was last heard from, by a clock that goes on while the machine sleeps. `name` is
        the container's.
        """
        super().__init__()
        self._look = look
        self._heard = heard
        self._events = events
        self._seen = events.latest
        self._name = name
        self.is_wanted = False
        """Whether a command has begun since the container was last known to run: it may have met a paused one."""

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
        """See Keepalive; `name` is the container's, as the engine said last."""
        super().__init__(sign, ask, end)
        self.name = name

    def has_name(self, name: str) -> bool:
        """See LinkWatch."""
        return not self.check_alive() or self.name == name
