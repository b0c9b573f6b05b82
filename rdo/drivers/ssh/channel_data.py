"""What goes over channels as SSH messages: input for a program, and output that came in. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from paramiko.common import MSG_CHANNEL_DATA

from rdo.drivers.ssh.fields import Violation


class Sendable(Protocol):
    """A message, or what stands for one."""

    def asbytes(self) -> bytes: ...


class OutgoingData(NamedTuple):
    """Data for a channel, of any length: sent as packets of `limit` bytes, all at once."""

    channel: int
    content: memoryview
    limit: int

    def pieces(self) -> Iterator[tuple[bytes, memoryview]]:
        """The messages, each as what stands before its data, and that (RFC 4254, section 5.2)."""
        for start in range(0, len(self.content), self.limit):
            piece = self.content[start : start + self.limit]
            yield struct.pack(">BII", MSG_CHANNEL_DATA, self.channel, len(piece)), piece


class IncomingData:
    """Channel data that came in, in one message or several in a row."""

    __slots__ = ("_plain", "data")

    HEADER = struct.Struct(">BBII")
    """Padding length, message number, channel, length of the data."""

    def __init__(self, plain: bytes) -> None:
        """`plain`: a whole packet, without its length. Raises Violation."""
        length = self.HEADER.unpack_from(plain)[3]
        self._plain = plain
        self.data = memoryview(plain)[self.HEADER.size : self.HEADER.size + length]
        if len(self.data) != length:
            raise Violation("it sent a truncated message")

    def goes_on_in(self, plain: bytes) -> bool:
        """Whether that packet is one with data for the same channel."""
        return plain[1:6] == self._plain[1:6]

    @property
    def channel(self) -> int:
        """Our number of the channel."""
        return int(self.HEADER.unpack_from(self._plain)[2])
