"""An attempt shared by all who need its result: one makes it, and the others wait and get the same error."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.caller import CallerGone


class SharedAttempt:
    """An attempt to log in, or to find out which target is meant. Thread-safe."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._failure: Exception | None = None

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        """End the attempt as successful."""
        self._over.set()

    @contextlib.contextmanager
    def made(self) -> Iterator[None]:
        """Make the attempt in this block, at the end of which it is over. If it ends because its caller has gone, the
        others may try."""
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
        """Wait until the attempt is over. Raises what it failed with."""
        self._over.wait()
        if self._failure is not None:
            raise self._failure


class SeenAttempt(NamedTuple):
    """The latest attempt, and whether it was over when it was looked at."""

    attempt: SharedAttempt
    was_over: bool


class SharedAttempts:
    """Successive attempts at the same thing, for all who need the result of the latest."""

    def __init__(self) -> None:
        self.latest = SharedAttempt()
        self.latest.end()

    def seen(self) -> SeenAttempt:
        """The current state. To be called before checking whether the needed result is there."""
        return SeenAttempt(self.latest, self.latest.is_over)

    def join(self, seen: SeenAttempt) -> tuple[SharedAttempt, bool]:
        """The attempt to wait for, and whether the caller is to make it. The caller, who has found no result, makes it
        unless an attempt was under way, or began, since `seen`. Call this with the owner's lock held."""
        is_theirs = seen.was_over and self.latest is seen.attempt
        if is_theirs:
            self.latest = SharedAttempt()
        return self.latest, is_theirs
