"""Reports why connections through forwards failed to whoever asked for the forwards."""

from __future__ import annotations

from collections.abc import Callable

REASONS_LIMIT = 16
"""Lines of one report. Reasons may contain text from the target, which may differ each time."""


class FailureReport:
    """Reports each reason once. As the owner of forwards, it belongs to the command that asked for them.

    It imports nothing, since most commands ask for no forwards.
    """

    def __init__(self, say: Callable[[str], bool] | None = None) -> None:
        self._say = say
        self._reported: set[str] = set()

    def report_to(self, say: Callable[[str], bool]) -> None:
        """Set the function that shows a line, and returns whether it could."""
        self._say = say

    def report(self, line: str) -> bool:
        """Show the line unless it was shown before, and return whether it has been shown."""
        if line in self._reported or len(self._reported) >= REASONS_LIMIT:
            return True
        if self._say is None or not self._say(line):
            return False
        self._reported.add(line)
        return True
