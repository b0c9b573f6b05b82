"""How many there are of something that begins and ends."""

from __future__ import annotations

import threading


class Tally:
    """Counts who is inside: `with tally: ...`. From any thread; the count is given back however the block ends."""

    def __init__(self, changed: threading.Condition) -> None:
        """`changed` is notified when the last one has left."""
        self._changed = changed
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
            if not self._count:
                self._changed.notify_all()
