"""What stands in for a keepalive where nothing lies between here and the target that could fall silent."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.drivers.link_watch import SilenceObserver


class NoLink:
    """The LinkWatch of rdo.drivers.base."""

    is_silent = False
    is_doubtful = False

    def __init__(self, check: Callable[[], bool] = lambda: True) -> None:
        """`check` finds out, within a bounded time, whether the target is still there."""
        self._check = check
        self.ended = False

    def is_alive(self) -> bool:
        """See LinkWatch."""
        self.ended = self.ended or not self._check()
        return not self.ended

    def when_heard(self, call: Callable[[], None]) -> None:
        """Never: it is never silent."""

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        return contextlib.nullcontext()

    def observed(self, observer: SilenceObserver) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        return contextlib.nullcontext()

    def stop(self) -> None:
        """See LinkWatch."""
        self.ended = True
