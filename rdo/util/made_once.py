"""What is made when it is first wanted, since few want it: its code may be loaded only then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class MadeOnce(Generic[Made]):
    """Usable from any thread."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = threading.Lock()
        """Held while it is made."""
        self.made: Made | None = None
        """None as long as nobody wanted it."""

    def get(self) -> Made:
        """It, made now if it is wanted for the first time. Raises what `make` raises."""
        if self.made is None:
            with self._lock:
                if self.made is None:
                    self.made = self._make()
        return self.made
