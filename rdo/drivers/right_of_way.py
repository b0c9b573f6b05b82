"""Gives threads that wait for an answer precedence over threads that receive a stream.

All connections share one interpreter and this machine's processors. A stream at full speed fills both, so that a
command to another target would be answered much later than on its own. So a thread that receives a stream rests for a
moment after something small, such as a command or a key, was sent over another connection, until the answer to that has
arrived.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from rdo.util.active_count import ActiveCount

SMALL_SIZE = 4096
"""Most bytes of something that is sent by a thread that waits for an answer."""

STREAM_SIZE = 32 * 1024
"""Fewest bytes that are received at a time from a stream at full speed."""

REST = 0.005
"""Most seconds to rest for one answer. A short command over a fast link takes less; over a slow one, nobody notices
that a stream continues meanwhile."""


class Question(NamedTuple):
    """What was sent, over which connection, and when."""

    traffic: ConnectionTraffic
    at: float


class RightOfWay:
    """The question whose answer has precedence. Thread-safe."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        """Seconds."""
        self.latest: Question | None = None
        """The latest question, if it was not answered yet. For earlier ones, no thread rests any more."""
        self._answered = threading.Condition()  # notified when the latest one was answered, if somebody rests
        self._resting = ActiveCount(self._answered, lambda: False)

    def answer(self) -> None:
        """Note that the latest question was answered."""
        self.latest = None
        if self._resting.count:
            with self._answered:
                self._answered.notify_all()

    def wait(self, question: Question, timeout: float) -> None:
        """Wait until the question is answered, another one was asked, or so many seconds have passed."""
        with self._resting, self._answered:
            self._answered.wait_for(lambda: self.latest is not question, timeout)


class ConnectionTraffic:
    """The traffic of one connection. Only one thread receives."""

    def __init__(self, right_of_way: RightOfWay) -> None:
        self._right_of_way = right_of_way
        self._is_stream = False
        self._rested_at = -math.inf

    def sent(self, size: int) -> None:
        """Note that so many bytes were sent."""
        if size <= SMALL_SIZE and not self._is_stream:
            self._right_of_way.latest = Question(self, self._right_of_way.now())

    def received(self, size: int) -> None:
        """Note that so many bytes were received."""
        self._is_stream = size >= STREAM_SIZE
        latest = self._right_of_way.latest
        if latest is not None and latest.traffic is self:
            self._right_of_way.answer()

    def rest(self) -> None:
        """Before receiving more, rest so that another connection gets its answer. Rests no longer than it has worked
        since the last time, so that a stream continues beside any number of commands."""
        question = self._right_of_way.latest
        if not self._is_stream or question is None or question.traffic is self:
            return
        now = self._right_of_way.now()
        left = min(question.at + REST - now, now - self._rested_at)
        if left > 0:
            self._right_of_way.wait(question, left)
            self._rested_at = self._right_of_way.now()


RIGHT_OF_WAY = RightOfWay()
"""Shared by all connections of this process."""
