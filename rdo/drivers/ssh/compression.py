"""Compression of packets by zlib (RFC 4253, section 6.2), begun once the login is over (`zlib@openssh.com`).

Knows no packets. What the server sends is taken apart only as far as a packet may be long.
"""

from __future__ import annotations

import zlib

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.fields import Violation

DELAYED = "zlib@openssh.com"

PACKET_LIMIT = READ_SIZE + 4096
"""Bytes of a packet, compressed or not: of data for a channel, what we allow the server, and a header. OpenSSH takes no
larger one."""


class Deflater:
    """For one direction, until keys are changed."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(6)  # ssh's level

    def __call__(self, data: bytes) -> bytes:
        """Smaller, if it can be; whole by itself, with what came before."""
        return self._stream.compress(data) + self._stream.flush(zlib.Z_PARTIAL_FLUSH)


class Inflater:
    """The reverse."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def __call__(self, data: bytes) -> bytes:
        """As it was. Raises Violation for what is too large then, or none of it."""
        try:
            whole = self._stream.decompress(data, PACKET_LIMIT + 1)
        except zlib.error as error:
            raise Violation(f"it sent what cannot be decompressed: {error}") from error
        if len(whole) > PACKET_LIMIT:
            raise Violation("it sent a packet that is too large when decompressed")
        if not whole:
            raise Violation("it sent a packet that is empty when decompressed")
        return whole
