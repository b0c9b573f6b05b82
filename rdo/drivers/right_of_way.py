"""Who waits for an answer goes before who receives a stream.

All connections share one interpreter and this machine's processors. A stream at full speed fills both: a command beside
it, to another target, would be answered much later than alone. So what receives a stream rests for a moment when
something small was sent over another connection, such as a command or a key, until that is answered.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from rdo.util.active_count import ActiveCount

SMALL_SIZE = 4096
"""Bytes that are sent at a time by who waits for an answer, at most."""

STREAM_SIZE = 32 * 1024
"""Bytes that are received at a time of a stream at full speed, at least."""

REST = 0.005
"""Seconds at most to rest for one answer: a short command over a fast link takes less. Over a slow one, nobody notices
that a stream goes on meanwhile.
"""


class Question(NamedTuple):
    """What was sent, by whom and when."""

    traffic: ConnectionTraffic
    at: float


class RightOfWay:
    """Whose answer is waited for. For any thread."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        """Seconds."""
        self.latest: Question | None = None
        """The last one that was asked, if it has had no answer yet. The others wait no longer than without it."""
        self._answered = threading.Condition()  # notified when the latest one was answered, if somebody rests
        self._resting = ActiveCount(self._answered, lambda: False)

    def answer(self) -> None:
        """The latest has its answer."""
        self.latest = None
        if self._resting.count:
            with self._answered:
                self._answered.notify_all()

    def wait(self, question: Question, timeout: float) -> None:
        """Wait until it is answered, or another one was asked, or so many seconds."""
        with self._resting, self._answered:
            self._answered.wait_for(lambda: self.latest is not question, timeout)


class ConnectionTraffic:
    """What goes over one connection. One thread receives."""

    def __init__(self, right_of_way: RightOfWay) -> None:
        self._right_of_way = right_of_way
        self._is_stream = False
        self._rested_at = -math.inf

    def sent(self, size: int) -> None:
        """So many bytes were sent."""
        if size <= SMALL_SIZE and not self._is_stream:
            self._right_of_way.latest = Question(self, self._right_of_way.now())

    def received(self, size: int) -> None:
        """So many bytes have come."""
        self._is_stream = size >= STREAM_SIZE
        latest = self._right_of_way.latest
        if latest is not None and latest.traffic is self:
            self._right_of_way.answer()

    def rest(self) -> None:
        """Before more is received: let another connection have its answer. No longer than was worked since the last
        time, so that a stream goes on beside any number of commands.
        """
        question = self._right_of_way.latest
        if not self._is_stream or question is None or question.traffic is self:
            return
        now = self._right_of_way.now()
        left = min(question.at + REST - now, now - self._rested_at)
        if left > 0:
            self._right_of_way.wait(question, left)
            self._rested_at = self._right_of_way.now()


RIGHT_OF_WAY = RightOfWay()
"""Of all connections of this process."""
