"""The contents of SSH packets as bytes: data for channels, and its compression by zlib and encryption by AES-GCM. Pure.

Data from the server is decompressed only up to the maximum length of a packet.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from paramiko.common import MSG_CHANNEL_DATA

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.fields import Violation

PACKET_LIMIT = READ_SIZE + 4096
"""Bytes of a packet, compressed or not: the data for a channel that rdo allows the server, and a header. OpenSSH
accepts no larger one."""

LENGTH_SIZE, TAG_SIZE = 4, 16
SEALED_SIZE = LENGTH_SIZE + TAG_SIZE
"""Bytes around the encrypted part: its length, and its tag."""


DATA_HEADER = struct.Struct(">BII").pack
"""Message number, channel, length of the data."""

INCOMING_HEADER = struct.Struct(">BBII")
"""The same, after the length of the padding."""


class Sendable(Protocol):
    """A message, or a stand-in for one."""

    def asbytes(self) -> bytes: ...


class OutgoingData(NamedTuple):
    """Data of any length for a channel, sent at once as packets of up to `limit` bytes."""

    channel: int
    content: memoryview | bytes
    limit: int

    def pieces(self) -> Sequence[tuple[bytes, memoryview | bytes]]:
        """The messages, each as its header and its data (RFC 4254, section 5.2)."""
        channel, content, limit = self
        size = len(content)
        if size <= limit:
            return ((DATA_HEADER(MSG_CHANNEL_DATA, channel, size), content),)
        pieces = [content[start : start + limit] for start in range(0, size, limit)]
        return [(DATA_HEADER(MSG_CHANNEL_DATA, channel, len(piece)), piece) for piece in pieces]


def message_body(plain: bytes) -> bytes:
    """What follows the message number in a packet without its length."""
    return plain[2 : len(plain) - plain[0]]


def channel_data(plain: bytes) -> tuple[int, memoryview]:
    """The channel and the data in a packet with data for one. Raises Violation."""
    _, _, channel, length = INCOMING_HEADER.unpack_from(plain)
    data = memoryview(plain)[INCOMING_HEADER.size : INCOMING_HEADER.size + length]
    if len(data) != length:
        raise Violation("it sent a truncated message")
    return channel, data


class Deflater:
    """Compression by zlib (RFC 4253, section 6.2), for one direction, until keys are changed."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(6)  # ssh's level

    def __call__(self, data: bytes) -> bytes:
        """Compress a packet, which can be decompressed completely, given those before it."""
        return self._stream.compress(data) + self._stream.flush(zlib.Z_PARTIAL_FLUSH)


class Inflater:
    """The reverse."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def __call__(self, data: bytes) -> bytes:
        """Decompress a packet. Raises Violation if the result is too large, or the data is invalid."""
        try:
            whole = self._stream.decompress(data, PACKET_LIMIT + 1)
        except zlib.error as error:
            raise Violation(f"it sent what cannot be decompressed: {error}") from error
        if len(whole) > PACKET_LIMIT:
            raise Violation("it sent a packet that is too large when decompressed")
        if not whole:
            raise Violation("it sent a packet that is empty when decompressed")
        return whole


class GcmEngine(Protocol):
    """The interface of the AES-GCM class of cryptography."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: memoryview, associated_data: memoryview, /) -> bytes: ...


class AesGcm:
    """AES-GCM for one direction: a key, and a nonce for each packet."""

    def __init__(self, engine: GcmEngine, initial_vector: bytes) -> None:
        self._engine = engine
        self._encrypt_into = getattr(engine, "encrypt_into", None)  # older releases of cryptography lack it
        self._nonces = nonces(initial_vector)

    def encrypt(self, plain: bytes, room: memoryview) -> None:
        """Build the next packet: its length, its content, and the tag. `room` has SEALED_SIZE bytes more than the
        content."""
        length = len(plain).to_bytes(LENGTH_SIZE, "big")
        room[:LENGTH_SIZE] = length
        if self._encrypt_into is None:
            room[LENGTH_SIZE:] = self._engine.encrypt(next(self._nonces), plain, length)
        else:
            self._encrypt_into(next(self._nonces), plain, length, room[LENGTH_SIZE:])

    def decrypt(self, sealed: memoryview, length: memoryview) -> bytes:
        """The content of a packet, without its length. Raises InvalidTag for one that was modified in transit."""
        return self._engine.decrypt(next(self._nonces), sealed, length)


def nonces(initial_vector: bytes) -> Iterator[bytes]:
    """A nonce for each packet: four fixed bytes, and eight that count the packets (RFC 5647, section 7.1)."""
    fixed, count = initial_vector[:4], int.from_bytes(initial_vector[4:], "big")
    while True:
        yield fixed + count.to_bytes(8, "big")
        count = (count + 1) & 0xFFFFFFFFFFFFFFFF
