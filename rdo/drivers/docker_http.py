"""HTTP/1.1 as the Docker engine speaks it: requests to bytes, bytes to heads and bodies. Pure: no socket in here.

http.client reads ahead into a buffer of its own, and so swallows the first bytes of a stream that takes over the
connection (docker-py#1507); it also takes 30 ms to load.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from rdo.lines import BLANKS

LARGEST_HEAD = 64 * 1024
"""Bytes. The engine's are a few hundred long."""

NO_BODY = (101, 204, 304)


class HttpError(Exception):
    """What came is not HTTP."""


class Head(NamedTuple):
    """Status line and header fields of an answer, these in lower case."""

    status: int
    fields: Mapping[str, str]

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection is good for another request after this answer."""
        ends = "content-length" in self.fields or "transfer-encoding" in self.fields or self.status in NO_BODY
        return ends and self.fields.get("connection", "").lower() != "close"


def request(method: str, path: str, body: object, fields: Mapping[str, str]) -> bytes:
    """A request; a body that is not None goes as JSON, but bytes as they are."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: docker", *(f"{name}: {value}" for name, value in fields.items())]
    if body is not None and "Content-Type" not in fields:
        lines.append("Content-Type: application/json")
    if data or method != "GET":
        lines.append(f"Content-Length: {len(data)}")
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + data


def split_head(data: bytes) -> tuple[Head, bytes] | None:
    """The head and what stands behind it; None while it is not complete. Raises HttpError."""
    text, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        if len(data) > LARGEST_HEAD:
            raise HttpError("the head has no end")
        return None
    first, *lines = text.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if not words[0].startswith("HTTP/1.") or len(words) < 2 or not words[1].isdecimal():
        raise HttpError(first[:80])
    pairs = (line.partition(":") for line in lines)
    return Head(int(words[1]), {name.strip(BLANKS).lower(): value.strip(BLANKS) for name, _, value in pairs}), rest


class Body:
    """Decodes a body: of a given length, in pieces (chunked), or up to the end of the connection."""

    def __init__(self, head: Head, *, absent: bool = False) -> None:
        """`absent`: the head describes a body that does not follow, since HEAD was asked."""
        self.complete = False
        """Whether all of it has come."""
        self._chunked = head.fields.get("transfer-encoding", "").lower() == "chunked"
        length = head.fields.get("content-length", "")
        self._left = int(length) if length.isdecimal() and not self._chunked else None
        self._raw = b""
        if absent or head.status in NO_BODY or self._left == 0:
            self.complete = True

    def receive(self, data: bytes) -> bytes:
        """What these bytes of the connection hold of the body. Raises HttpError."""
        if self.complete:
            return b""
        if self._chunked:
            return self._receive_pieces(data)
        if self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.complete = self._left == 0
        return data

    def end(self) -> None:
        """The connection has ended. Raises HttpError where the body had not."""
        if self._chunked or self._left:
            raise HttpError("the answer was cut off")
        self.complete = True

    def _receive_pieces(self, data: bytes) -> bytes:
        self._raw += data
        found = []
        while not self.complete:
            line, newline, rest = self._raw.partition(b"\r\n")
            if not newline:
                break
            size = _piece_size(line)
            if len(rest) < size + 2:
                break
            found.append(rest[:size])
            self._raw = rest[size + 2 :]
            self.complete = size == 0
        return b"".join(found)


def _piece_size(line: bytes) -> int:
    try:
        return int(line.partition(b";")[0], 16)
    except ValueError:
        raise HttpError("a piece has no size") from None
