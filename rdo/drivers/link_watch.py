"""What a connection knows of the link below it: whether that still carries, and who is to hear when it falls silent.

keepalive.py implements it for a peer that can be asked; NoLink is for where there is nothing in between.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol


class SilenceObserver(Protocol):
    """Whoever runs a command over a connection. Neither method may wait."""

    def falls_silent(self, seconds: float) -> None:
        """The target was asked for a sign of life, and has not been heard from for so long."""

    def answers_again(self, seconds: float) -> None:
        """It was heard from, after so many seconds. Follows `falls_silent`."""


class LinkWatch(Protocol):
    """Whether what lies between here and a target still carries. Usable from any thread."""

    @property
    def ended(self) -> bool:
        """Whether the connection has been cut, given up, or closed. Does not wait."""

    @property
    def is_silent(self) -> bool:
        """Whether an answer is overdue, which may still come. Does not wait."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the target was not heard from lately, so that `check_alive` waits. Does not wait."""

    def has_name(self, name: str) -> bool:
        """Whether the target still has the name, of those that may become another's. May wait as `check_alive` does."""

    def check_alive(self) -> bool:
        """Whether the target was heard from lately, or answers now: waits a few seconds, and only once for each
        silence. Where it is not, but has not `ended` either, the answer may still come.
        """

    def when_heard(self, call: Callable[[], None]) -> None:
        """Call this, once, as soon as a silent one is heard from or has ended."""

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """A command runs over it: silence is fatal."""

    def observed(self, observer: SilenceObserver) -> contextlib.AbstractContextManager[None]:
        """Tell the observer of silence."""


class NoLink:
    """The LinkWatch where nothing lies between here and the target that could fall silent."""

    is_doubtful = False

    def __init__(self) -> None:
        self.ended = False
        self.is_silent = False

    def has_name(self, name: str) -> bool:
        """See LinkWatch."""
        return True

    def check_alive(self) -> bool:
        """See LinkWatch."""
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
