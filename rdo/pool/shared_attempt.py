"""One attempt for all who need what it results in: one asks, and the others wait and get the same error."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.caller import CallerGone


class SharedAttempt:
    """A login, or the question which target is meant. Usable from any thread."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._failure: Exception | None = None

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        """It is over, and has not failed."""
        self._over.set()

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """It is being made, and over at the end. Where it ends as its own caller has gone, the others may try."""
        try:
            yield
        except CallerGone:
            raise
        except Exception as error:
            self._failure = error
            raise
        finally:
            self._over.set()

    def result(self) -> None:
        """Wait until it is over. Raises what it failed with."""
        self._over.wait()
        if self._failure is not None:
            raise self._failure


class SeenAttempt(NamedTuple):
    """The latest attempt, and whether it was over: one that ends right after that counts as one that went on."""

    attempt: SharedAttempt
    was_over: bool


class SharedAttempts:
    """Attempts at the same thing, one after another, for all who need what the latest results in."""

    def __init__(self) -> None:
        self.latest = SharedAttempt()
        self.latest.end()

    def seen(self) -> SeenAttempt:
        """How it stands, before one checks whether what is needed is there."""
        return SeenAttempt(self.latest, self.latest.is_over)

    def join(self, seen: SeenAttempt) -> tuple[SharedAttempt, bool]:
        """The attempt that counts for who found nothing, and whether it is theirs to make: it is not where one went on,
        or began, while they looked. With the lock of the owner.
        """
        is_theirs = seen.was_over and self.latest is seen.attempt
        if is_theirs:
            self.latest = SharedAttempt()
        return self.latest, is_theirs
