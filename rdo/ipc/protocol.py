"""The messages between client and control master, as bytes. Pure: no sockets. Specified in PROTOCOL.md, section 1."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter

from rdo.errors import ConnectError, RdoError, printable, with_empty_names

VERSION = b"9"

# From both.
END = b"E"

# From the client.
RUN = b"R"
ANSWER = b"A"
INPUT = b"I"
SIGNAL = b"S"
PROBE = b"P"
WINDOW = b"W"
QUERY = b"Q"
STOP = b"X"

# From the master.
ACCEPTED = b"K"
STALE = b"Z"
PROMPT = b"P"
NOTICE = b"N"
PROGRESS = b"G"
STARTED = b"B"
PTYLESS = b"T"
"""Payload of STARTED if the target provides no terminal."""
OUTPUT = b"O"
ERROR = b"D"
CREDIT = b"C"
SCREEN = b"S"
STOPPED = b"T"
OPEN_URL = b"U"
FINISHED = b"H"
EXIT = b"X"
FAILED = b"F"
REPORT = b"J"

PAYLOAD_LIMIT = 16 * 1024 * 1024
"""Largest payload in bytes: far above ARG_MAX (2 MiB for arguments and environment), yet harmless to memory."""

INPUT_WINDOW = 4 * 1024 * 1024
"""Bytes of INPUT that may be in flight: enough for full speed (1 MiB would cost a seventh of it), and few enough to
keep in memory."""

UNREACHABLE = "unreachable"
"""Marks, in FAILED, that no connection could be made, so that no command was started."""

HEADER_SIZE = 5


class ProtocolError(RdoError):
    """The peer violated the protocol; the connection is unusable."""


def header(kind: bytes, length: int) -> bytes:
    """The header of a payload of `length` bytes."""
    return kind + length.to_bytes(4, "big")


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """A complete frame."""
    return header(kind, len(payload)) + payload


Frame = tuple[bytes, bytes | memoryview]
"""Kind and payload. In a list of received frames, a payload of STREAMS that is a single frame's is a memoryview; every
other one is bytes."""

STREAMS = OUTPUT + ERROR + INPUT
"""Kinds whose payload is part of a stream, so that the boundaries between frames mean nothing."""


class Decoder:
    """Takes bytes, returns frames, however the bytes were split. The content of a stream is returned as it arrives."""

    __slots__ = ("_buffer", "kind", "left", "length")

    def __init__(self) -> None:
        self._buffer = b""
        self.kind = b""
        """The kind of the latest frame of STREAMS. The next two attributes belong to the same frame."""
        self.length = 0
        self.left = 0
        """Bytes of its payload that have not arrived yet."""

    def receive(self, data: bytes) -> list[Frame]:
        """Take `data`; return the frames that are now complete and, for STREAMS, all that has arrived. Raises
        ProtocolError."""
        buffer = self._buffer + data if self._buffer else data
        frames: list[Frame] = []
        position = self._stream(buffer, 0, frames)
        while len(buffer) - position >= HEADER_SIZE:
            start = position + HEADER_SIZE
            kind = buffer[position : position + 1]
            length = int.from_bytes(buffer[position + 1 : start], "big")
            if length > PAYLOAD_LIMIT:
                raise ProtocolError("a frame is too long", f"{length} bytes")
            if kind in STREAMS:
                self.kind, self.length, self.left = kind, length, length
                position = self._stream(buffer, start, frames)
                continue
            if start + length > len(buffer):
                break
            position = start + length
            frames.append((kind, buffer[start:position]))
        self._buffer = buffer[position:]
        return frames if len(frames) < 2 else _joined(frames)

    def _stream(self, buffer: bytes, start: int, frames: list[Frame]) -> int:
        """Append what has arrived of the current frame, and return where the next one starts."""
        end = min(start + self.left, len(buffer))
        if end > start:
            frames.append((self.kind, memoryview(buffer)[start:end]))
            self.left -= end - start
        return end


def _joined(frames: list[Frame]) -> list[Frame]:
    """The same frames, with adjacent ones of a stream joined: to copy them costs less than to pass them on one by
    one."""
    found: list[Frame] = []
    for kind, run in groupby(frames, itemgetter(0)):
        pieces = list(run)
        if kind in STREAMS and len(pieces) > 1:
            found.append((kind, memoryview(b"".join(payload for _, payload in pieces))))
        else:
            found += pieces
    return found


def encode_window(rows: int, columns: int, width: int, height: int) -> bytes:
    """The payload of WINDOW."""
    return b"".join(number.to_bytes(2, "big") for number in (rows, columns, width, height))


def decode_window(payload: bytes) -> tuple[int, int, int, int]:
    """Rows, columns, width and height in a payload of WINDOW. Raises ProtocolError."""
    if len(payload) != 8:
        raise ProtocolError("malformed window size")
    rows, columns, width, height = (int.from_bytes(payload[start : start + 2], "big") for start in (0, 2, 4, 6))
    return rows, columns, width, height


def encode_credit(size: int) -> bytes:
    """The payload of CREDIT."""
    return size.to_bytes(4, "big")


def decode_credit(payload: bytes) -> int:
    """The number of bytes in a payload of CREDIT. Raises ProtocolError."""
    if len(payload) != 4:
        raise ProtocolError("malformed credit")
    return int.from_bytes(payload, "big")


def encode_failure(error: RdoError) -> bytes:
    """The payload of FAILED: the parts as they will be shown, so that none can hold a NUL."""
    kind = UNREACHABLE if isinstance(error, ConnectError) else ""
    parts = (printable(with_empty_names(part)) for part in (error.what, error.why, error.hint))
    return "\0".join((*parts, kind)).encode()


def decode_failure(payload: bytes) -> RdoError:
    """The error in a payload of FAILED."""
    what, why, hint, kind, *_ = (*payload.decode("utf-8", "replace").split("\0"), "", "", "")
    return (ConnectError if kind == UNREACHABLE else RdoError)(what, why, hint)
