"""Decodes the frames in which the engine sends two streams over one connection. Pure: takes bytes, returns chunks.

A header of 8 bytes (the number of the stream, three zeros, the length as a big-endian integer) is followed by the
payload; see "Attach to a container" in the Engine API's reference.
"""

from __future__ import annotations

import struct

from rdo.drivers.base import STDERR, STDOUT, Chunk

HEAD = struct.Struct(">B3xI")

SYSTEM_ERROR = 3
"""A stream for errors of the engine itself, shown on stderr."""

STREAMS = {0: STDOUT, STDOUT: STDOUT, STDERR: STDERR, SYSTEM_ERROR: STDERR}


class FrameError(Exception):
    """The data is not a frame."""


class FrameDecoder:
    """Decodes data as it arrives. Frames need not be complete: their parts are returned at once, and none is kept."""

    def __init__(self) -> None:
        self._head = b""
        self._stream = STDOUT
        self._left = 0

    def receive(self, data: bytes) -> list[Chunk]:
        """The chunks in these bytes; adjacent ones of a stream are joined.

        Raises FrameError.
        """
        pieces: list[tuple[int, memoryview]] = []
        view = memoryview(data)
        while view:
            if self._left == 0:
                view = self._take_head(view)
            part, view = view[: self._left], view[self._left :]
            self._left -= len(part)
            if part:
                pieces.append((self._stream, part))
        return _joined(pieces)

    def _take_head(self, view: memoryview) -> memoryview:
        missing = HEAD.size - len(self._head)
        self._head += view[:missing]
        if len(self._head) == HEAD.size:
            number, self._left = HEAD.unpack(self._head)
            if number not in STREAMS:
                raise FrameError(number)
            self._stream = STREAMS[number]
            self._head = b""
        return view[missing:]


def _joined(pieces: list[tuple[int, memoryview]]) -> list[Chunk]:
    chunks: list[Chunk] = []
    start = 0
    for end in range(1, len(pieces) + 1):
        if end == len(pieces) or pieces[end][0] != pieces[start][0]:
            chunks.append(Chunk(pieces[start][0], b"".join(part for _, part in pieces[start:end])))
            start = end
    return chunks
