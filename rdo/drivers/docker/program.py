"""What a channel asks of the engine's side of its program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from rdo.drivers.base import WindowSize

IsCut = Callable[[float], bool]
"""Whether it seems that the link has ended, and not the program; waits up to so many seconds to find out."""


class DockerProgram(Protocol):
    """The engine's side of a program."""

    started: bool
    """False once it is known that it never ran."""

    def status(self, is_cut: IsCut) -> int:
        """Wait for its end: the exit status. Raises LinkLost, also where its streams have ended because of a cut."""

    def runs(self) -> bool:
        """Whether it has not ended, as far as the engine knows now."""

    def resize(self, size: WindowSize) -> None:
        """Set the size of its pty, if it still runs."""

    def discard(self) -> None:
        """Clean up: the channel is closed."""
