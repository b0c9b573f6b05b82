"""A queue of output that has arrived and was not read yet, with its flow control. No I/O, no locks."""

from __future__ import annotations

from collections import deque

from rdo.drivers.base import READ_SIZE, Chunk

JOIN_LIMIT = 4096
"""Bytes up to which pieces of output are joined, since each piece takes a hundred bytes of its own."""

CROWDED = 1024
"""Pieces in the queue from which on a small one may join the last of its stream even if one of the other stream is in
between. Otherwise, with the streams alternating byte by byte, what a window allows would take half a gigabyte."""


class ChunkQueue:
    """The pieces of both streams in the order of their arrival. Guarded by its owner's lock."""

    def __init__(self, acknowledge: int) -> None:
        """`acknowledge` is the number of bytes that must have been consumed before it is worth granting the other side
        credit."""
        self._chunks: deque[Chunk] = deque()
        self._acknowledge = acknowledge
        self._consumed = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def put(self, stream: int, data: bytes | memoryview) -> None:
        """Add what has arrived."""
        if not data:
            return
        if not self._chunks:
            self._chunks.append(Chunk(stream, data))
            return
        for place in (-1, -2) if len(self._chunks) > CROWDED else (-1,):
            last = self._chunks[place]
            if last.stream == stream:
                if len(last.data) + len(data) > JOIN_LIMIT:
                    break
                self._chunks[place] = Chunk(stream, b"".join((last.data, data)))
                return
        self._chunks.append(Chunk(stream, data))

    def take(self) -> Chunk:
        """Remove the oldest piece and those of the same stream that follow it, up to READ_SIZE. There must be one.

        Each piece costs the reader two system calls and a switch of threads, and sshd sends at most 32 KiB at a time.
        """
        stream, data = self._chunks.popleft()
        pieces, size = [data], len(data)
        while self._chunks and self._chunks[0].stream == stream and size + len(self._chunks[0].data) <= READ_SIZE:
            pieces.append(self._chunks.popleft().data)
            size += len(pieces[-1])
        self._consumed += size
        return Chunk(stream, data if len(pieces) == 1 else b"".join(pieces))

    def count_consumed(self, size: int) -> bool:
        """Count bytes that were consumed on arrival, without being queued, and return whether credit is due then."""
        self._consumed += size
        return self._consumed >= self._acknowledge

    @property
    def credit_due(self) -> bool:
        """Whether enough was consumed to grant the other side credit."""
        return self._consumed >= self._acknowledge

    def take_credit(self) -> int:
        """The number of bytes that the other side may send in addition, since that many were consumed; 0 while it is
        too small."""
        if not self.credit_due:
            return 0
        credit, self._consumed = self._consumed, 0
        return credit

    def clear(self) -> None:
        """Drop everything in the queue."""
        self._chunks.clear()
