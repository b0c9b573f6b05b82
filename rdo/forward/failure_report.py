"""Why connections through forwards came to nothing, for whoever asked for the forwards."""

from __future__ import annotations

from collections.abc import Callable

REASONS_LIMIT = 16
"""Lines of one report: reasons may have words of the target's in them, which may differ each time."""


class FailureReport:
    """Each reason once. As the owner of forwards, it is that of the command that asked for them.

    It loads nothing: most commands ask for no forward.
    """

    def __init__(self, say: Callable[[str], bool] | None = None) -> None:
        self._say = say
        self._said: set[str] = set()

    def report_by(self, say: Callable[[str], bool]) -> None:
        """Tell by that, which returns whether it could."""
        self._say = say

    def tell(self, line: str) -> bool:
        """Whether it is known there now."""
        if line in self._said or len(self._said) >= REASONS_LIMIT:
            return True
        if self._say is None or not self._say(line):
            return False
        self._said.add(line)
        return True
