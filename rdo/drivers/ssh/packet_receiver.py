"""SSH packets that come in: under AES-GCM by a way of our own, otherwise by paramiko's. Knows packets, no channels."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable

from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_FAILURE, MSG_CHANNEL_OPEN_SUCCESS
from paramiko.message import Message

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.fields import MessageReader, Violation
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, TAG_SIZE, AesGcm, IncomingData, Inflater

LENGTH = struct.Struct(">I")

READ_AHEAD_SIZE = 1024 * 1024
"""Bytes read ahead: several packets."""

VERSION_LINE_LIMIT = 1024
LINE_LENGTH_LIMIT = 8192
"""Lines that a server may say before its version, and bytes of one: as ssh(1)."""


class ReadAhead:
    """What has come and was not taken yet. For one thread."""

    def __init__(self, stream: MonitoredStream) -> None:
        self._stream = stream
        self._room = memoryview(bytearray(READ_AHEAD_SIZE))
        self._start = self._end = 0
        self._deferred: list[Callable[[], None]] = []
        self.deadline: float | None = None
        """By the monotonic clock: nothing is waited for after it."""
        self.closed = False
        """Set to have a wait end."""

    def __len__(self) -> int:
        return self._end - self._start

    def packet_length(self) -> int:
        """What the next packet says of its length, which may not have come whole; 0 if all of it has not come."""
        if self._end - self._start < LENGTH.size:
            return 0
        (length,) = LENGTH.unpack_from(self._room, self._start)
        return int(length) if self._start + 4 + length + TAG_SIZE <= self._end else 0

    def peek(self, size: int) -> memoryview:
        """So many of the next bytes, which have come; they change with the next reading."""
        return self._room[self._start : self._start + size]

    def take(self, size: int) -> memoryview:
        """The same, and pass over them."""
        self._start += size
        return self._room[self._start - size : self._start]

    def version(self) -> bytes:
        """The line with the server's version, which others may stand before. Raises EOFError, OSError, Violation."""
        for _ in range(VERSION_LINE_LIMIT):
            line = self._line()
            if line.startswith(b"SSH-"):
                return line
        raise Violation(f"it sent {VERSION_LINE_LIMIT} lines without its version")

    def defer(self, act: Callable[[], None]) -> None:
        """Do it before the next wait."""
        self._deferred.append(act)

    def fill(self, size: int) -> None:
        """Read until there are so many bytes. Raises EOFError, OSError, Violation."""
        if self._start + size > len(self._room):
            rest = len(self)
            self._room[:rest] = bytes(self._room[self._start : self._end])
            self._start, self._end = 0, rest
        while len(self) < size:
            if self._start == self._end:
                self._start = self._end = 0
            self._end += self._read_into(self._room[self._end :])

    def _line(self) -> bytes:
        while (end := bytes(self.peek(len(self))).find(b"\n")) < 0:
            if len(self) > LINE_LENGTH_LIMIT:
                raise Violation("it sent an endless line before its version")
            self.fill(len(self) + 1)
        return bytes(self.take(end + 1)).removesuffix(b"\n").removesuffix(b"\r")

    def _read_into(self, room: memoryview) -> int:
        while self._deferred:
            self._deferred.pop(0)()
        while True:
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise Violation("it did not finish the key exchange in time")
            try:
                count = self._stream.recv_into(room)
            except TimeoutError:
                if self.closed:
                    raise EOFError from None
            else:
                if count == 0:
                    raise EOFError
                return count


PACKET_MINIMUM = 12
"""Bytes of a packet after its length (RFC 4253, section 6); of one of AES-GCM 16, as the cipher finds out."""

CHANNEL_MESSAGES = range(MSG_CHANNEL_OPEN_SUCCESS, MSG_CHANNEL_FAILURE + 1)
"""Numbers of the messages for a channel: each begins with the receiver's number for it (RFC 4254, section 5)."""

MessageHandler = Callable[[int, int, bytes | memoryview], bool]
"""Takes a message for a channel: its number, the channel's, and what follows that; of data, nothing but the data.
Whether it was taken.
"""


class PacketReceiver:
    """Reads the packets of one connection. For one thread, which also sets `cipher` and `decompressor`."""

    def __init__(self, stream: MonitoredStream, read_plainly: Callable[[], tuple[int, Message]]) -> None:
        """`read_plainly` is paramiko's way, for other ciphers and for all that precedes the first key exchange."""
        self.source = ReadAhead(stream)
        self._read_plainly = read_plainly
        self.cipher: AesGcm | None = None
        self.decompressor: Inflater | None = None
        self.has_keys = False
        """Whether anything is encrypted yet."""
        self.sequence = 0
        """The number of the next message to be read."""
        self.handle: MessageHandler = lambda kind, number, body: False
        """Is offered the messages for channels; what it does not take is read."""
        self._ahead = b""
        """A packet that was decrypted and is still to be read."""

    def read(self) -> tuple[int, Message | IncomingData]:
        """The next message that is not taken: its number, and its body. Raises EOFError, SSHException, Violation."""
        while True:
            self.sequence = (self.sequence + 1) & 0xFFFFFFFF
            if self.cipher is None:
                if not self.has_keys:
                    self._check_length()  # paramiko believes any
                kind, message = self._read_plainly()
                if not self._hand_over(kind, message.asbytes()):
                    return kind, message
                continue
            plain = self._next_plain()
            kind = plain[1]
            if kind == MSG_CHANNEL_DATA:
                data = self._joined(IncomingData(plain))
                if not self.handle(kind, data.channel, data.data):
                    return kind, data
            else:
                payload = plain[2 : len(plain) - plain[0]]
                if not self._hand_over(kind, payload):
                    return kind, Message(payload)

    def read_exactly(self, size: int) -> bytes:
        """So many bytes, for paramiko. Raises EOFError, OSError, Violation."""
        if not 0 <= size <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {size} bytes")
        self.source.fill(size)
        return bytes(self.source.take(size))

    def read_packet(self) -> bytes:
        """The next packet, decrypted."""
        length = self._complete_length()
        if not length:
            length = self._check_length()
            self.source.fill(4 + length + TAG_SIZE)
        return self._decrypted(length)

    def _decrypted(self, length: int) -> bytes:
        """The next packet, all of which has come."""
        assert self.cipher is not None
        packet = self.source.take(4 + length + TAG_SIZE)
        return self.cipher.decrypt(packet[4:], packet[:4])

    def _next_plain(self) -> bytes:
        """The next packet: how much padding ends it, the number of its message, and that."""
        plain, self._ahead = self._ahead or self.read_packet(), b""
        if plain[0] > len(plain) - 2:
            raise Violation("it sent a packet that contains only padding")
        if self.decompressor is None:
            return plain
        return b"\0" + self.decompressor(plain[1 : len(plain) - plain[0]])

    def _hand_over(self, kind: int, payload: bytes) -> bool:
        """Give it to the channel that it is for: whether that took it."""
        if kind not in CHANNEL_MESSAGES:
            return False
        fields = MessageReader(payload)
        number = fields.number()
        return self.handle(kind, number, fields.string() if kind == MSG_CHANNEL_DATA else payload[4:])

    def _joined(self, first: IncomingData) -> IncomingData:
        """With the data of the packets after it that have come: sshd sends 32 KiB at a time, and to hand a piece on
        costs more than its bytes. Of packets that are no such data, one at most is decrypted, as keys may change then.
        """
        pieces, size = [first.data], len(first.data)
        while self.decompressor is None and 0 < (length := self._complete_length()) <= READ_SIZE - size:
            self._ahead = self._decrypted(length)
            if not first.goes_on_in(self._ahead):
                break
            pieces.append(IncomingData(self._ahead).data)
            self.sequence = (self.sequence + 1) & 0xFFFFFFFF
            self._ahead = b""
            size += length
        if len(pieces) > 1:
            first.data = memoryview(b"".join(pieces))
        return first

    def _complete_length(self) -> int:
        """Bytes of the next packet if all of it has come, else 0."""
        length = self.source.packet_length()
        return length if length >= PACKET_MINIMUM else 0

    def _check_length(self) -> int:
        """Bytes of the next packet, of which its length at least has come then. Raises EOFError, OSError, Violation."""
        self.source.fill(4)
        length = int.from_bytes(self.source.peek(4), "big")
        if not PACKET_MINIMUM <= length <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {length} bytes")
        return length
