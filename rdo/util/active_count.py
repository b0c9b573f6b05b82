"""Counts what is active: something that begins and ends."""

from __future__ import annotations

import threading
from collections.abc import Callable


class ActiveCount:
    """Counts who is inside: `with tally: ...`. From any thread; the count is given back however the block ends."""

    def __init__(self, changed: threading.Condition, is_awaited: Callable[[], bool] = lambda: True) -> None:
        """`changed` is notified when the last one has left, if that is awaited: to wake a thread costs as much as the
        rest of a short command's end. `is_awaited` is asked with `changed` held.
        """
        self._changed = changed
        self._is_awaited = is_awaited
        self._count = 0

    @property
    def count(self) -> int:
        return self._count

    def __enter__(self) -> None:
        with self._changed:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._count -= 1
            if not self._count and self._is_awaited():
                self._changed.notify_all()
