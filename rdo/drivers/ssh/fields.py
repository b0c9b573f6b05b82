"""The fields of SSH messages, keys, certificates and key lists (RFC 4251, section 5), decoded with distrust: no length
may lead beyond the data. Pure."""

from __future__ import annotations

import struct

from rdo.fscodec import fsencode

Body = bytes | memoryview
"""The body of a message, or the rest of it."""

DISPLAY_LIMIT = 200
"""Characters of a server's text to show in a message of ours: more than any server needs."""


class Violation(Exception):
    """The server violated the SSH protocol; the text says how, and follows the server's name."""


class BlobReader:
    """Reads the fields of a key, a certificate or a list, one after the other. Raises ValueError if that is
    truncated."""

    def __init__(self, data: Body) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> bytes:
        """The unread rest."""
        return bytes(self._data[self._at :])

    @property
    def is_at_end(self) -> bool:
        """Whether everything was read."""
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        end = self._at + size
        if end > len(self._data):
            raise self._cut_off()
        found, self._at = self._data[self._at : end], end
        return bytes(found)

    def number(self, size: int = 4) -> int:
        """An integer of so many bytes; by default a uint32."""
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        """A boolean."""
        return self.take(1) != b"\0"

    def string(self) -> bytes:
        """A byte string, preceded by its length."""
        return self.take(self.number())

    def strings(self) -> list[bytes]:
        """All strings up to the end."""
        found = []
        while not self.is_at_end:
            found.append(self.string())
        return found

    def names(self) -> tuple[str, ...]:
        """A list of names, without empty ones."""
        return tuple(name for name in words(self.string()).split(",") if name)

    def _cut_off(self) -> Exception:
        return ValueError("it is truncated")


class MessageReader(BlobReader):
    """The same for a message from the server. Raises Violation if it is truncated."""

    def _cut_off(self) -> Exception:
        return Violation("it sent a truncated message")


def kind_of(blob: bytes) -> str:
    """The type at the start of a public key. Raises ValueError."""
    return BlobReader(blob).string().decode("ascii")


def rsa_bits(blob: bytes) -> int | None:
    """The size of an RSA key; None for other types. Raises ValueError."""
    fields = BlobReader(blob)
    if fields.string() != b"ssh-rsa":
        return None
    fields.string()
    return int.from_bytes(fields.string(), "big").bit_length()


def words(data: bytes, limit: int | None = None) -> str:
    """Text of the server in any encoding: what is not UTF-8 becomes `\\xNN`, and what is too long is cut."""
    text = data.decode("utf-8", "backslashreplace")
    return text if limit is None or len(text) <= limit else f"{text[:limit]}..."


def uint32(*values: int) -> bytes:
    """Numbers in the wire format."""
    return struct.pack(f">{len(values)}I", *values)


def string(data: bytes) -> bytes:
    """Bytes in the wire format: preceded by their length."""
    return uint32(len(data)) + data


def text(value: str) -> bytes:
    """Text in the wire format."""
    return string(fsencode(value))


def mpint(number: int) -> bytes:
    """A non-negative integer of any size in the wire format."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
