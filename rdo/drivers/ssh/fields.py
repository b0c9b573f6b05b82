"""The fields of SSH messages, keys, certificates and lists of these (RFC 4251, section 5), read with distrust: no
length is believed that leads beyond what there is. Pure.
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


class BlobReader:
    """Reads one field after the other of a key, a certificate, a list. Raises ValueError where that is cut off."""

    def __init__(self, data: Body) -> None:
        self._data = data
        self._at = 0

    @property
    def rest(self) -> bytes:
        """What is still to be read."""
        return bytes(self._data[self._at :])

    @property
    def is_at_end(self) -> bool:
        """Whether all is read."""
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        end = self._at + size
        if end > len(self._data):
            raise self._cut_off()
        found, self._at = self._data[self._at : end], end
        return bytes(found)

    def number(self, size: int = 4) -> int:
        """A number of so many bytes: a uint32, or of another size."""
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        """A boolean."""
        return self.take(1) != b"\0"

    def string(self) -> bytes:
        """A string of bytes, which its length precedes."""
        return self.take(self.number())

    def strings(self) -> list[bytes]:
        """All strings up to the end."""
        found = []
        while not self.is_at_end:
            found.append(self.string())
        return found

    def names(self) -> tuple[str, ...]:
        """A list of names, without those that are empty."""
        return tuple(name for name in words(self.string()).split(",") if name)

    def _cut_off(self) -> Exception:
        return ValueError("it is truncated")


class MessageReader(BlobReader):
    """The same of a message from the server. Raises Violation where that is cut off."""

    def _cut_off(self) -> Exception:
        return Violation("it sent a truncated message")


def kind_of(blob: bytes) -> str:
    """The type that a public key begins with. Raises ValueError."""
    return BlobReader(blob).string().decode("ascii")


def rsa_bits(blob: bytes) -> int | None:
    """The size of an RSA key; None for keys of other types. Raises ValueError."""
    fields = BlobReader(blob)
    if fields.string() != b"ssh-rsa":
        return None
    fields.string()
    return int.from_bytes(fields.string(), "big").bit_length()


def words(data: bytes, limit: int | None = None) -> str:
    """Text of the server, whatever its encoding: what is not UTF-8 is written as `\\xNN`, what is too long is cut."""
    text = data.decode("utf-8", "backslashreplace")
    return text if limit is None or len(text) <= limit else f"{text[:limit]}..."


def uint32(*values: int) -> bytes:
    """Numbers as they are sent."""
    return struct.pack(f">{len(values)}I", *values)


def string(data: bytes) -> bytes:
    """Bytes as they are sent: preceded by their length."""
    return uint32(len(data)) + data


def text(value: str) -> bytes:
    """Text as it is sent."""
    return string(fsencode(value))


def mpint(number: int) -> bytes:
    """A number that is not negative and of any size, as it is sent."""
    return string(number.to_bytes(number.bit_length() // 8 + 1, "big"))
