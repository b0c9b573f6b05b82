"""Output that has come in and was not read yet, and how much of it may be asked for again. No I/O, no locks."""

from __future__ import annotations

from collections import deque

from rdo.drivers.base import READ_SIZE, Chunk

SMALL = 4096
"""Bytes up to which pieces of output are put together, as each costs a hundred bytes of its own."""

MANY = 1024
"""Pieces in the queue from which on a small one may join the last of its stream though one of the other stream came
between: byte by byte in turns, what a window allows would cost half a gigabyte."""

LARGE = READ_SIZE
"""Bytes up to which pieces of a stream are taken together: each costs the reader two system calls and a change of
threads, and sshd sends 32 KiB at a time, whatever it is allowed."""


class ChunkQueue:
    """The pieces of both streams in the order of their arrival."""

    def __init__(self, acknowledge: int) -> None:
        """`acknowledge`: bytes taken before it is worth telling the other side."""
        self._chunks: deque[Chunk] = deque()
        self._acknowledge = acknowledge
        self._taken = 0

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def put(self, stream: int, data: bytes | memoryview) -> None:
        """Add what has arrived."""
        if not data:
            return
        for place in (-1, -2) if len(self._chunks) > MANY else (-1,) if self._chunks else ():
            last = self._chunks[place]
            if last.stream == stream:
                if len(last.data) + len(data) > SMALL:
                    break
                self._chunks[place] = Chunk(stream, b"".join((last.data, data)))
                return
        self._chunks.append(Chunk(stream, data))

    def take(self) -> Chunk:
        """The oldest piece, and what follows it of the same stream. There must be one."""
        stream, data = self._chunks.popleft()
        pieces, size = [data], len(data)
        while self._chunks and self._chunks[0].stream == stream and size + len(self._chunks[0].data) <= LARGE:
            pieces.append(self._chunks.popleft().data)
            size += len(pieces[-1])
        self._taken += size
        return Chunk(stream, data if len(pieces) == 1 else b"".join(pieces))

    def pass_by(self, size: int) -> None:
        """Count bytes that were taken as they arrived."""
        self._taken += size

    @property
    def owes(self) -> bool:
        """Whether it is worth telling the other side what was taken."""
        return self._taken >= self._acknowledge

    def owed(self) -> int:
        """How many bytes the other side should be told of now, as they were taken; 0 while it is too few."""
        if not self.owes:
            return 0
        taken, self._taken = self._taken, 0
        return taken

    def clear(self) -> None:
        """Forget what was not taken."""
        self._chunks.clear()
