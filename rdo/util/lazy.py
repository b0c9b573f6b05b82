"""A value that is created when it is first needed, since few commands need it and its code can be loaded just then."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Lazy(Generic[Made]):
    """Creates its value once. Thread-safe."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make = make
        self._lock = threading.Lock()
        """Held while the value is created."""
        self.value: Made | None = None
        """None until the value has been created."""

    def get(self) -> Made:
        """The value, created now if this is the first call. Raises what `make` raises."""
        if self.value is None:
            with self._lock:
                if self.value is None:
                    self.value = self._make()
        return self.value
