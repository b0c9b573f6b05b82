"""Receives SSH packets: with AES-GCM by our own code, otherwise by paramiko's. Knows packets, but no channels."""

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
from rdo.drivers.target_stream import DELIVERY_LOCK

LENGTH = struct.Struct(">I")

PACKET_MINIMUM = 12
"""Bytes of a packet after its length (RFC 4253, section 6); 16 with AES-GCM, which the cipher checks."""

READ_AHEAD_SIZE = 1024 * 1024
"""Bytes to read ahead: several packets."""

VERSION_LINE_LIMIT = 1024
LINE_LENGTH_LIMIT = 8192
"""Lines that a server may send before its version, and bytes of each, as with ssh(1)."""


class ReadAhead:
    """Data that has arrived and was not taken yet. Not thread-safe."""

    def __init__(self, stream: MonitoredStream) -> None:
        self._stream = stream
        self._room = memoryview(bytearray(READ_AHEAD_SIZE))
        self._start = self._end = 0
        self._deferred: list[Callable[[], None]] = []
        self.deadline: float | None = None
        """The time by the monotonic clock after which it no longer waits."""
        self.closed = False
        """Set to end a wait."""

    def __len__(self) -> int:
        return self._end - self._start

    def packet(self, limit: int = PACKET_LIMIT) -> memoryview | None:
        """Take the next packet, including its length, if all of it has arrived.

        None if more than `limit` bytes follow its length.
        """
        if self._end - self._start < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._room, self._start)
        start, end = self._start, self._start + LENGTH.size + length + TAG_SIZE
        if end > self._end or not PACKET_MINIMUM <= length <= limit:
            return None
        self._start = end
        return self._room[start:end]

    def peek(self, size: int) -> memoryview:
        """The next `size` bytes, which have arrived. They change with the next read."""
        return self._room[self._start : self._start + size]

    def take(self, size: int) -> memoryview:
        """The same, and remove them."""
        self._start += size
        return self._room[self._start - size : self._start]

    def version(self) -> bytes:
        """The line with the server's version, which may follow other lines. Raises EOFError, OSError, Violation."""
        for _ in range(VERSION_LINE_LIMIT):
            line = self._line()
            if line.startswith(b"SSH-"):
                return line
        raise Violation(f"it sent {VERSION_LINE_LIMIT} lines without its version")

    def defer(self, act: Callable[[], None]) -> None:
        """Call the function before the next wait."""
        self._deferred.append(act)

    def fill(self, size: int) -> None:
        """Read until so many bytes are available. Raises EOFError, OSError, Violation."""
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
"""Numbers of the messages for a channel, which begin with the receiver's number for it (RFC 4254, section 5)."""

MessageHandler = Callable[[int, int, bytes | memoryview], bool]
"""Handles a message for a channel: its number, the channel's, and what follows that; for data, just the data. Returns
whether it did."""


class PacketReceiver:
    """Reads the packets of one connection. Not thread-safe. The reading thread also sets `cipher` and
    `decompressor`."""

    def __init__(self, stream: MonitoredStream, read_plainly: Callable[[], tuple[int, Message]]) -> None:
        """`read_plainly` is paramiko's way, for other ciphers and for everything before the first key exchange."""
        self.source = ReadAhead(stream)
        self._read_plainly = read_plainly
        self.cipher: AesGcm | None = None
        self.decompressor: Inflater | None = None
        self.has_keys = False
        """Whether packets are encrypted yet."""
        self.sequence = 0
        """The sequence number of the next message to read."""
        self.handle: MessageHandler = lambda kind, number, body: False
        """Called with the messages for channels. Those it does not handle are returned by `read`."""
        self._ahead: deque[tuple[int, list[memoryview]]] = deque()
        """Data that was decrypted but not passed on yet: a channel's number, and pieces for it."""
        self._last: bytes | None = None
        """The packet after it, which contains something else."""

    def read(self) -> tuple[int, Message]:
        """The next message that was not handled: its number, and its body. Data for channels is passed on in between.

        Raises EOFError, SSHException, Violation.
        """
        while True:
            if self.cipher is None:
                kind, message = self._next_plainly()
                if not self._hand_over(kind, message.asbytes()):
                    return kind, message
                continue
            if not self._ahead and self._last is None:
                self._decrypt()
            if not self._hand_on():
                return MSG_CHANNEL_DATA, Message()
            last, self._last = self._last, None
            if last is not None and not self._hand_over(last[1], message_body(last)):
                return last[1], Message(message_body(last))

    def read_exactly(self, size: int) -> bytes:
        """Exactly `size` bytes, for paramiko. Raises EOFError, OSError, Violation."""
        if not 0 <= size <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {size} bytes")
        self.source.fill(size)
        return bytes(self.source.take(size))

    def _next_plainly(self) -> tuple[int, Message]:
        """The next message, read by paramiko."""
        if not self.has_keys:
            self._check_length()  # paramiko trusts any length
        self.sequence = (self.sequence + 1) & 0xFFFFFFFF
        return self._read_plainly()

    def _decrypt(self) -> None:
        """Decrypt the next packet, and the data for channels that has arrived after it; after other messages, keys may
        change.

        Everything is decrypted before any of it is passed on: each piece wakes a reader, and many readers would then
        send their next data one by one. Pieces for the same channel are passed on together, since sshd sends 32 KiB at
        a time.
        """
        assert self.cipher is not None
        packet: memoryview | None = self._wait()
        left = READ_SIZE
        while packet is not None:
            plain = self.cipher.decrypt(packet[LENGTH.size :], packet[: LENGTH.size])
            self.sequence = (self.sequence + 1) & 0xFFFFFFFF
            if plain[0] > len(plain) - 2:
                raise Violation("it sent a packet that contains only padding")
            if self.decompressor is not None:
                plain = b"\0" + self.decompressor(plain[1 : len(plain) - plain[0]])
            if plain[1] != MSG_CHANNEL_DATA:
                self._last = plain
                return
            number, data = channel_data(plain)
            if self._ahead and self._ahead[-1][0] == number:
                self._ahead[-1][1].append(data)
            else:
                self._ahead.append((number, [data]))
            left -= len(plain)
            packet = self.source.packet(left)

    def _wait(self) -> memoryview:
        """The next packet, once it has arrived."""
        while (packet := self.source.packet()) is None:
            self.source.fill(LENGTH.size + self._check_length() + TAG_SIZE)
        return packet

    def _hand_over(self, kind: int, payload: bytes) -> bool:
        """Pass a message to its channel, and return whether that handled it."""
        if kind not in CHANNEL_MESSAGES:
            return False
        fields = MessageReader(payload)
        number = fields.number()
        return self.handle(kind, number, fields.string() if kind == MSG_CHANNEL_DATA else payload[4:])

    def _hand_on(self) -> bool:
        """Pass the data to its channels, and return whether they took it."""
        if len(self._ahead) <= 1:
            return not self._ahead or self._hand_on_next()
        with DELIVERY_LOCK:
            return all(self._hand_on_next() for _ in range(len(self._ahead)))

    def _hand_on_next(self) -> bool:
        number, pieces = self._ahead.popleft()
        data = pieces[0] if len(pieces) == 1 else memoryview(b"".join(pieces))
        return self.handle(MSG_CHANNEL_DATA, number, data)

    def _check_length(self) -> int:
        """The size of the next packet, of which at least the length has arrived by then. Raises EOFError, OSError,
        Violation."""
        self.source.fill(LENGTH.size)
        (length,) = LENGTH.unpack(self.source.peek(LENGTH.size))
        if not PACKET_MINIMUM <= length <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {length} bytes")
        return int(length)
