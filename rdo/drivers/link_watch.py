"""What a connection knows about its link: whether that still works, and who wants to know when it falls silent.

keepalive.py implements this for a peer that can be asked; NoLink is for targets with nothing in between.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol


class SilenceObserver(Protocol):
    """Whoever runs a command over a connection. Neither method may wait."""

    def falls_silent(self, seconds: float) -> None:
        """The target was asked for a sign of life, and has been silent for so many seconds."""

    def answers_again(self, seconds: float) -> None:
        """The target answers again, after so many seconds. Follows `falls_silent`."""


class LinkWatch(Protocol):
    """Whether the link to a target still works. Thread-safe."""

    @property
    def ended(self) -> bool:
        """Whether the connection has been cut, given up, or closed. Does not wait."""

    @property
    def is_silent(self) -> bool:
        """Whether an answer is overdue, which may still arrive. Does not wait."""

    @property
    def is_doubtful(self) -> bool:
        """Whether the target was not heard from recently, so that `check_alive` would wait. Does not wait."""

    def has_name(self, name: str) -> bool:
        """Whether the target still has the name, if that may come to denote another one. May wait like
        `check_alive`."""

    def check_alive(self) -> bool:
        """Whether the target was heard from recently, or answers now. Waits a few seconds, and only once for each
        silence. If it returns False and the link has not `ended`, the answer may still arrive."""

    def when_heard(self, call: Callable[[], None]) -> None:
        """Call the function once, as soon as a silent target is heard from, or the link has ended."""

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """A context in which a command uses the link, so that silence is fatal."""

    def observed(self, observer: SilenceObserver) -> contextlib.AbstractContextManager[None]:
        """A context in which the observer is notified of silence."""


class NoLink:
    """The LinkWatch for a target with nothing in between that could fall silent."""

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
        """Never called back, since the link is never silent."""

    def in_use(self) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        return contextlib.nullcontext()

    def observed(self, observer: SilenceObserver) -> contextlib.AbstractContextManager[None]:
        """See LinkWatch."""
        return contextlib.nullcontext()

    def stop(self) -> None:
        """See LinkWatch."""
        self.ended = True
