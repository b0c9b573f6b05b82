"""HTTP/1.1 as the Docker engine speaks it: converts requests to bytes, and bytes to heads and bodies. Pure: no sockets.

http.client reads ahead into a buffer of its own, and so swallows the first bytes of a stream that takes over the
connection (docker-py#1507); it also takes 30 ms to load.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import NamedTuple

from rdo.fscodec import fsencode
from rdo.util.lines import BLANKS

HEAD_LIMIT = 64 * 1024
"""Bytes of a head. The engine's are a few hundred long."""

NO_BODY = (101, 204, 304)

BODY_LIMIT = 16 * 1024 * 1024
"""Bytes of an answer that is read as a whole: a list of some 8,000 containers. An inspection has 10 KB."""

SIZE_LINE_LIMIT = 1024
"""Bytes of the line before a chunk, or after the last one: usually a number of up to 8 digits."""

STATUS = re.compile(r"HTTP/1\.[01] ([1-5][0-9]{2})( .*)?", re.DOTALL)
LENGTH = re.compile(r"[0-9]{1,18}")
SIZE = re.compile(rb"[0-9a-fA-F]{1,8}")


class HttpError(Exception):
    """The data is not HTTP."""


class ResponseHead(NamedTuple):
    """The status line and header fields of an answer, the latter in lower case. `old`: HTTP/1.0."""

    status: int
    fields: Mapping[str, str]
    old: bool = False

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection can be used for another request after this answer."""
        ends = "content-length" in self.fields or "transfer-encoding" in self.fields or self.status in NO_BODY
        return ends and not self.old and self.fields.get("connection", "").lower() != "close"


def request(method: str, path: str, body: object, fields: Mapping[str, str]) -> bytes:
    """A request. A body that is not None is sent as JSON, but bytes unchanged."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: docker", *(f"{name}: {value}" for name, value in fields.items())]
    if body is not None and "Content-Type" not in fields:
        lines.append("Content-Type: application/json")
    if "Transfer-Encoding" not in fields and (data or method != "GET"):
        lines.append(f"Content-Length: {len(data)}")
    return fsencode("\r\n".join([*lines, "", ""])) + data


def split_head(data: bytes) -> tuple[ResponseHead, bytes] | None:
    """The head and what follows it; None while the head is incomplete. Raises HttpError."""
    text, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        if len(data) > HEAD_LIMIT:
            raise HttpError("the header does not end")
        return None
    first, *lines = text.decode("latin-1").split("\r\n")
    status = STATUS.fullmatch(first)
    if not status:
        raise HttpError(first[:80] or "the first line is empty")
    pairs = (line.partition(":") for line in lines)
    fields = {name.strip(BLANKS).lower(): value.strip(BLANKS) for name, _, value in pairs}
    return ResponseHead(int(status[1]), fields, first.startswith("HTTP/1.0")), rest


def chunked(data: Iterable[bytes]) -> Iterator[bytes]:
    """A body of unknown length, for `Transfer-Encoding: chunked`."""
    for piece in data:
        if piece:
            yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


class Expected(Enum):
    """What the next line of a chunked body is, after the bytes of a chunk if one is incomplete."""

    SIZE = "the size of a piece"
    LINE_END = "the empty line after a piece"
    TRAILER = "a trailer, or the empty line after the last piece"


class BodyDecoder:
    """Decodes a body: of a given length, chunked, or up to the end of the connection."""

    def __init__(self, head: ResponseHead, *, absent: bool = False) -> None:
        """`absent`: the head describes a body that does not follow, since the request was HEAD."""
        self.complete = False
        """Whether the whole body has arrived."""
        coding = head.fields.get("transfer-encoding", "identity").lower()
        if coding not in ("chunked", "identity"):
            raise HttpError(f"it has the unsupported encoding {coding[:40]}")
        self._chunked = coding == "chunked"
        length = head.fields.get("content-length")
        if length is not None and not LENGTH.fullmatch(length):
            raise HttpError("its length is not a number")
        self._left = int(length) if length is not None and not self._chunked else None
        self._line = b""
        self._expected = Expected.SIZE
        self._piece = 0
        """Bytes missing from the current chunk."""
        if absent or head.status in NO_BODY or self._left == 0:
            self.complete = True

    def receive(self, data: bytes) -> bytes:
        """The part of the body in these bytes of the connection. Raises HttpError."""
        if self.complete:
            return b""
        if self._chunked:
            return self._receive_pieces(memoryview(data))
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.complete = self._left == 0
        return data

    def end(self) -> None:
        """Note the end of the connection. Raises HttpError if the body is incomplete."""
        if self._chunked or self._left:
            raise HttpError("the response is truncated")
        self.complete = True

    def _receive_pieces(self, data: memoryview) -> bytes:
        """Decode chunks. Their data is returned as it arrives, so that no more than a line is ever kept."""
        found = []
        while data and not self.complete:
            if self._piece:
                part, data = data[: self._piece], data[self._piece :]
                self._piece -= len(part)
                found.append(part)
            else:
                data = self._receive_line(data)
        return b"".join(found)

    def _receive_line(self, data: memoryview) -> memoryview:
        known = len(self._line)
        text, newline, _ = (self._line + bytes(data[:SIZE_LINE_LIMIT])).partition(b"\n")
        if not newline:
            if len(text) >= SIZE_LINE_LIMIT:
                raise HttpError("a chunk has no size")
            self._line = text
            return data[SIZE_LINE_LIMIT:]
        self._line = b""
        self._take_line(text.removesuffix(b"\r"))
        return data[len(text) + 1 - known :]

    def _take_line(self, line: bytes) -> None:
        if self._expected is Expected.TRAILER:
            self.complete = not line
        elif self._expected is Expected.LINE_END:
            if line:
                raise HttpError("a chunk is longer than its size")
            self._expected = Expected.SIZE
        else:
            if not SIZE.fullmatch(size := line.partition(b";")[0].strip(b" \t")):
                raise HttpError("a chunk has no size")
            self._piece = int(size, 16)
            self._expected = Expected.LINE_END if self._piece else Expected.TRAILER
