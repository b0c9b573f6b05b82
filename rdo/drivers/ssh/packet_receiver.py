"""SSH packets that come in: under AES-GCM by a way of our own, otherwise by paramiko's. Knows packets, no channels."""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable

from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_FAILURE, MSG_CHANNEL_OPEN_SUCCESS
from paramiko.message import Message

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.fields import MessageReader, Violation
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, TAG_SIZE, AesGcm, Inflater, channel_data, message_body

LENGTH = struct.Struct(">I")

PACKET_MINIMUM = 12
"""Bytes of a packet after its length (RFC 4253, section 6); of one of AES-GCM 16, as the cipher finds out."""

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

    def packet(self) -> memoryview | None:
        """The next packet, with its length before it, if all of it has come; and pass over it."""
        if self._end - self._start < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._room, self._start)
        start, end = self._start, self._start + LENGTH.size + length + TAG_SIZE
        if end > self._end or not PACKET_MINIMUM <= length <= PACKET_LIMIT:
            return None
        self._start = end
        return self._room[start:end]

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
        self._ahead: deque[bytes] = deque()
        """Packets that were decrypted and are still to be read."""

    def read(self) -> tuple[int, Message]:
        """The next message that is not taken: its number, and its body. Raises EOFError, SSHException, Violation."""
        while True:
            if self.cipher is None:
                kind, message = self._next_plainly()
                if not self._hand_over(kind, message.asbytes()):
                    return kind, message
                continue
            plain = self._next_plain()
            kind = plain[1]
            if kind == MSG_CHANNEL_DATA:
                is_taken = self.handle(kind, *self._joined(plain))
            else:
                is_taken = self._hand_over(kind, message_body(plain))
            if not is_taken:
                return kind, Message(message_body(plain))

    def read_exactly(self, size: int) -> bytes:
        """So many bytes, for paramiko. Raises EOFError, OSError, Violation."""
        if not 0 <= size <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {size} bytes")
        self.source.fill(size)
        return bytes(self.source.take(size))

    def _next_plainly(self) -> tuple[int, Message]:
        """The next message, by paramiko's way."""
        if not self.has_keys:
            self._check_length()  # paramiko believes any
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        return self._read_plainly()

    def _next_plain(self) -> bytes:
        """The next packet: how much padding ends it, the number of its message, and that."""
        if not self._ahead:
            self._decrypt()
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        return self._ahead.popleft()

    def _decrypt(self) -> None:
        """The next packet, and what has come after it of data for channels: with other messages, keys may change.

        All of it before any is handed on: each piece wakes who reads it, and many would send what is next one by one.
        """
        assert self.cipher is not None
        packet: memoryview | None = self._wait()
        left = READ_SIZE
        while packet is not None:
            plain = self.cipher.decrypt(packet[LENGTH.size :], packet[: LENGTH.size])
            if plain[0] > len(plain) - 2:
                raise Violation("it sent a packet that contains only padding")
            if self.decompressor is not None:
                plain = b"\0" + self.decompressor(plain[1 : len(plain) - plain[0]])
            self._ahead.append(plain)
            left -= len(plain)
            packet = self.source.packet() if plain[1] == MSG_CHANNEL_DATA and left > 0 else None

    def _wait(self) -> memoryview:
        """The next packet, once it has come."""
        while (packet := self.source.packet()) is None:
            self.source.fill(LENGTH.size + self._check_length() + TAG_SIZE)
        return packet

    def _hand_over(self, kind: int, payload: bytes) -> bool:
        """Give it to the channel that it is for: whether that took it."""
        if kind not in CHANNEL_MESSAGES:
            return False
        fields = MessageReader(payload)
        number = fields.number()
        return self.handle(kind, number, fields.string() if kind == MSG_CHANNEL_DATA else payload[4:])

    def _joined(self, plain: bytes) -> tuple[int, memoryview]:
        """Data for a channel, and the channel's number: with what follows for the same one, since sshd sends 32 KiB at
        a time, and to hand a piece on costs more than its bytes.
        """
        number, data = channel_data(plain)
        if not (self._ahead and self._ahead[0][1:6] == plain[1:6]):
            return number, data
        pieces, size = [data], len(plain)
        while self._ahead and self._ahead[0][1:6] == plain[1:6] and size + len(self._ahead[0]) <= READ_SIZE:
            following = self._next_plain()
            size += len(following)
            pieces.append(channel_data(following)[1])
        return number, memoryview(b"".join(pieces))

    def _check_length(self) -> int:
        """Bytes of the next packet, of which its length at least has come then. Raises EOFError, OSError, Violation."""
        self.source.fill(LENGTH.size)
        (length,) = LENGTH.unpack(self.source.peek(LENGTH.size))
        if not PACKET_MINIMUM <= length <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {length} bytes")
        return int(length)
