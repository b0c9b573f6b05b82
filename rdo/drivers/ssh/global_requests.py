"""Requests to an SSH server that belong to no channel (RFC 4254, section 4), and who waits for the answers. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

Answered = Callable[[bytes | None], None]
"""Called with the answer to a global request: its body, or None for a refusal. Called by the receiving thread, so it
must not wait."""


class GlobalRequests:
    """The unanswered requests. Answers have no ids, but arrive in the order of the requests."""

    def __init__(self) -> None:
        self._unanswered: deque[Answered] = deque()

    def add(self, answered: Answered) -> None:
        """Note that a request was sent, after all those added before."""
        self._unanswered.append(answered)

    def answer(self, body: bytes | None) -> None:
        """Handle an answer. One without a request is ignored, as by ssh(1)."""
        if self._unanswered:
            self._unanswered.popleft()(body)

    def lose(self) -> None:
        """Note that no more answers will arrive."""
        while self._unanswered:
            self._unanswered.popleft()(None)
