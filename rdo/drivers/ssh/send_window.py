"""How much the other end of an SSH channel accepts (RFC 4254, section 5.2). Knows no messages."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.drivers.ssh.fields import Violation

WINDOW_LIMIT = 2**32 - 1
"""Bytes that may be in flight in one direction of a channel."""


class SendWindow:
    """The bytes that may be sent now: none before the other end opens its window."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # guards all below; taken directly, which is cheaper than through the condition
        self._changed = threading.Condition(self._lock)  # notified when there is room, or will be none
        self._room = 0
        self._is_closed = False
        self._when_room: Callable[[], None] | None = None

    def widen(self, size: int) -> None:
        """Note that the other end accepts so many more bytes. Raises Violation."""
        with self._lock:
            self._room += size
            if self._room > WINDOW_LIMIT:
                raise Violation("it requested more input than a channel allows")
            when_room = self._wake()
        if when_room:
            when_room()

    def close(self) -> None:
        """Wake threads that wait for room, since nothing more is to be sent."""
        with self._lock:
            self._is_closed = True
            when_room = self._wake()
        if when_room:
            when_room()

    def _wake(self) -> Callable[[], None] | None:
        """Wake threads that wait for room, and return the function to call without the lock."""
        self._changed.notify_all()
        when_room, self._when_room = self._when_room, None
        return when_room

    def reserve_now(self, limit: int, when_room: Callable[[], None]) -> int | None:
        """Take the available room, and return how many bytes to send, at most `limit`; None once closed.

        If there is too little, `when_room` is called, once, when there is more, or will be none.
        """
        with self._lock:
            if self._is_closed:
                return None
            if limit > self._room:
                limit, self._when_room = self._room, when_room
            self._room -= limit
            return limit

    def reserve(self, limit: int, timeout: float | None) -> int:
        """Wait for room, and return how many bytes to send, at most `limit`; 0 once closed. Raises TimeoutError."""
        with self._lock:
            if not self._changed.wait_for(lambda: self._room > 0 or self._is_closed, timeout):
                raise TimeoutError
            size = 0 if self._is_closed else min(limit, self._room)
            self._room -= size
            return size

    def reserve_all(self, size: int, when_room: Callable[[], None] | None = None) -> bool:
        """Take room for all of it, if it is available, and return whether it was. If not, `when_room` is called as
        above."""
        with self._lock:
            if self._is_closed:
                return False
            if self._room < size:
                self._when_room = when_room or self._when_room
                return False
            self._room -= size
            return True
