"""Whether a container whose engine is on this machine takes commands: nothing lies in between that could fall silent,
but it may be paused, and then what runs in it goes on later."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.drivers.docker.inspect import ContainerState
from rdo.drivers.link_watch import NoLink
from rdo.util import clock

LIVENESS = 15.0
"""Seconds after an answer of the engine for which a container counts as alive."""


class ContainerWatch(NoLink):
    """The LinkWatch of such a container: one that is paused is a silent one."""

    def __init__(self, look: Callable[[], ContainerState | None], heard: Callable[[], float]) -> None:
        """`look` asks the engine how the container is, within a bounded time; None where it is gone or does not say.

        `heard` gives when the engine was last heard from, by a clock that goes on while the machine sleeps.
        """
        super().__init__()
        self._look = look
        self._heard = heard
        self.is_wanted = False
        """Whether a command has begun since the container was last known to run: it may have met a paused one."""

    def check_alive(self) -> bool:
        """See LinkWatch."""
        if self.is_silent or clock.elapsed() - self._heard() >= LIVENESS:
            state = self._look()
            self.is_silent = state is not None and state.paused
            self.ended = self.ended or state is None or not (state.runs or state.paused)
        return not (self.ended or self.is_silent)

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        self.is_wanted = True
        return contextlib.nullcontext()
