"""Bytes from the server on their way to who takes packets out of them: read ahead, in one buffer, before a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.keepalive import MonitoredStream

READ_AHEAD_SIZE = 1024 * 1024
"""Bytes read ahead: several packets."""

VERSION_LINE_LIMIT = 1024
LINE_LENGTH_LIMIT = 8192
"""Lines that a server may say before its version, and bytes of one: as ssh(1)."""


class ReadAhead:
    """What has come and was not taken yet. For one thread."""

    def __init__(self, stream: MonitoredStream) -> None:
        self._stream = stream
        self._room = memoryview(bytearray(READ_AHEAD_SIZE))
        self._start = self._end = 0
        self._deferred: list[Callable[[], None]] = []
        self.deadline: float | None = None
        """By the monotonic clock: nothing is waited for behind it."""
        self.closed = False
        """Set to have a wait end."""

    def __len__(self) -> int:
        return self._end - self._start

    def peek(self, size: int) -> memoryview:
        """So many of the next bytes, which have come; they change with the next reading."""
        return self._room[self._start : self._start + size]

    def take(self, size: int) -> memoryview:
        """The same, and pass over them."""
        self._start += size
        return self._room[self._start - size : self._start]

    def version(self) -> bytes:
        """The line with the server's version, which others may stand before. Raises EOFError, OSError, Violation."""
        for _ in range(VERSION_LINE_LIMIT):
            line = self._line()
            if line.startswith(b"SSH-"):
                return line
        raise Violation(f"it sent {VERSION_LINE_LIMIT} lines without its version")

    def defer(self, act: Callable[[], None]) -> None:
        """Do it before the next wait."""
        self._deferred.append(act)

    def fill(self, size: int) -> None:
        """Read until there are so many bytes. Raises EOFError, OSError, Violation."""
        if self._start + size > len(self._room):
            rest = len(self)
            self._room[:rest] = bytes(self._room[self._start : self._end])
            self._start, self._end = 0, rest
        while len(self) < size:
            if self._start == self._end:
                self._start = self._end = 0
            self._end += self._read_into(self._room[self._end :])

    def _line(self) -> bytes:
        while (end := bytes(self.peek(len(self))).find(b"\n")) < 0:
            if len(self) > LINE_LENGTH_LIMIT:
                raise Violation("it sent an endless line before its version")
            self.fill(len(self) + 1)
        return bytes(self.take(end + 1)).removesuffix(b"\n").removesuffix(b"\r")

    def _read_into(self, room: memoryview) -> int:
        while self._deferred:
            self._deferred.pop(0)()
        while True:
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise Violation("it did not finish the key exchange in time")
            try:
                count = self._stream.recv_into(room)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
            else:
                if count == 0:
                    raise EOFError
                return count
