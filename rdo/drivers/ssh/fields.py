"""The fields of a message from an SSH server (RFC 4251, section 5), read with distrust: every length is held against
what has come. Pure.
"""

from __future__ import annotations

import struct

from rdo.fscodec import fsencode

Body = bytes | memoryview
"""Of a message, or what is left of one."""

DISPLAY_LIMIT = 200
"""Characters of a server's words that go into one line of ours: more than any server has to say."""


class Violation(Exception):
    """The server did what no SSH server may do; the text says what, to follow the server's name."""


class FieldReader:
    """Reads one field after the other. Raises Violation where the message is cut off."""

    def __init__(self, body: Body, start: int = 0) -> None:
        self._body = body
        self._at = start

    def number(self) -> int:
        """A uint32."""
        return int.from_bytes(self._take(4), "big")

    def flag(self) -> bool:
        """A boolean."""
        return bytes(self._take(1)) != b"\0"

    def string(self) -> bytes:
        """A string of bytes."""
        return bytes(self._take(self.number()))

    def names(self) -> tuple[str, ...]:
        """A list of names, without those that are empty."""
        return tuple(name for name in words(self.string()).split(",") if name)

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        self._take(size)

    def _take(self, size: int) -> Body:
        end = self._at + size
        if end > len(self._body):
            raise Violation("it sent a truncated message")
        found, self._at = self._body[self._at : end], end
        return found


def words(data: bytes, limit: int | None = None) -> str:
    """Text of the server, whatever its encoding: what is not UTF-8 is written as `\\xNN`, what is too long is cut."""
    text = data.decode("utf-8", "backslashreplace")
    return text if limit is None or len(text) <= limit else f"{text[:limit]}..."


def uint32(*values: int) -> bytes:
    """Numbers as they are sent."""
    return struct.pack(f">{len(values)}I", *values)


def text(value: str) -> bytes:
    """A string as it is sent."""
    encoded = fsencode(value)
    return uint32(len(encoded)) + encoded
