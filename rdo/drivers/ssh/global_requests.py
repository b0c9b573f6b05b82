"""Requests to an SSH server that belong to no channel (RFC 4254, section 4), and who waits for their answers. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Answered = Callable[[bytes | None], None]
"""Called with the answer to a global request: its body, or None for a refusal. By who receives, so it must not wait."""


class GlobalRequests:
    """Those that wait: answers have no names, but come in the order of the requests."""

    def __init__(self) -> None:
        self._asked: deque[Answered] = deque()

    def add(self, answered: Answered) -> None:
        """One is sent, after all that were added before."""
        self._asked.append(answered)

    def answer(self, body: bytes | None) -> None:
        """The next answer has come. One to no request is ignored, as by ssh(1)."""
        if self._asked:
            self._asked.popleft()(body)

    def lose(self) -> None:
        """No more answers will come."""
        while self._asked:
            self._asked.popleft()(None)
