"""What a channel needs to know about its program from the engine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rdo.drivers.base import WindowSize

IsCut = Callable[[float], bool]
"""Whether the link seems to have broken, rather than the program ended. Waits up to so many seconds to find out."""


class DockerProgram(Protocol):
    """A program, as the engine knows it."""

    started: bool
    """False once it is known that the program never ran."""

    def status(self, is_cut: IsCut) -> int:
        """Wait for the end of the program, and return its exit status. Raises LinkLost, also if its streams have ended
        because the link broke."""

    def runs(self) -> bool:
        """Whether the program has not ended, as far as the engine knows."""

    def resize(self, size: WindowSize) -> None:
        """Set the size of its pty, if it is still running."""

    def discard(self) -> None:
        """Clean up after the channel was closed."""
