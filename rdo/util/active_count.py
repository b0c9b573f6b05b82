"""Counts how many things are active at the moment."""

from __future__ import annotations

import threading
from collections.abc import Callable


class ActiveCount:
    """A counter for `with` blocks: it counts the threads inside. Thread-safe; the count is given back however a block
    ends."""

    def __init__(self, changed: threading.Condition, is_awaited: Callable[[], bool] = lambda: True) -> None:
        """`changed` is notified when the last block has ended, if somebody waits for that: waking a thread costs as
        much as the rest of a short command's end. `is_awaited` is called with `changed` held."""
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
