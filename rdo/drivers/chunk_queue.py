"""Output that has come in and was not read yet, and how much of it may be asked for again. No I/O, no locks."""

from __future__ import annotations

from collections import deque

from rdo.drivers.base import Chunk

SMALL = 4096
"""Bytes up to which pieces of output are put together, as each costs a hundred bytes of its own."""


class ChunkQueue:
    """The pieces of both streams in the order of their arrival."""

    def __init__(self, acknowledge: int) -> None:
        """`acknowledge`: bytes taken before it is worth telling the other side."""
        self._chunks: deque[Chunk] = deque()
        self._acknowledge = acknowledge
        self._taken = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def put(self, stream: int, data: bytes) -> None:
        """Add what has arrived."""
        last = self._chunks[-1] if self._chunks else None
        if last is not None and last.stream == stream and len(last.data) + len(data) <= SMALL:
            self._chunks[-1] = Chunk(stream, last.data + data)
        elif data:
            self._chunks.append(Chunk(stream, data))

    def take(self) -> Chunk:
        """The oldest piece. There must be one."""
        chunk = self._chunks.popleft()
        self._taken += len(chunk.data)
        return chunk

    def owed(self) -> int:
        """How many bytes the other side should be told of now, as they were taken; 0 while it is too few."""
        if self._taken < self._acknowledge:
            return 0
        taken, self._taken = self._taken, 0
        return taken

    def clear(self) -> None:
        """Forget what was not taken."""
        self._chunks.clear()
