"""How much input the far end of an SSH channel takes (RFC 4254, section 5.2). Knows no messages."""

from __future__ import annotations

import threading

from rdo.drivers.ssh.fields import Violation

WINDOW_LIMIT = 2**32 - 1
"""Bytes that may be under way to one side of a channel."""


class SendWindow:
    """Bytes that may be sent now. Empty until the far end opens it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards both below; notified when there is room, or will be none
        self._room = 0
        self._is_closed = False

    def widen(self, size: int) -> None:
        """The far end takes so many bytes more. Raises Violation."""
        with self._changed:
            self._room += size
            if self._room > WINDOW_LIMIT:
                raise Violation("it requested more input than a channel allows")
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing more is to be sent: wake whoever waits for room."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def reserve(self, limit: int, timeout: float | None) -> int:
        """Wait for room: how many bytes to send, `limit` at most; 0 once it is closed. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._room > 0 or self._is_closed, timeout):
                raise TimeoutError
            size = 0 if self._is_closed else min(limit, self._room)
            self._room -= size
            return size

    def reserve_all(self, size: int) -> bool:
        """Take room for all of it, if it is there now: whether it was."""
        with self._changed:
            if self._is_closed or self._room < size:
                return False
            self._room -= size
            return True
