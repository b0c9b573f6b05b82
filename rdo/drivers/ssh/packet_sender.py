"""Sends SSH packets: with AES-GCM by our own code, otherwise by paramiko's. Knows packets, but no channels.

paramiko copies each packet five times; here data is copied once, by the cipher.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable

from paramiko.message import Message

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.packet_content import SEALED_SIZE, AesGcm, Deflater, OutgoingData, Sendable

BLOCK_SIZE = 16
PADDING_LENGTHS = tuple(bytes((length,)) for length in range(4 + BLOCK_SIZE))

RANDOM_POOL_SIZE = 1024
"""Random bytes for padding to fetch at a time."""

SEND_TIMEOUT = 40.0
"""Seconds for the server to accept any byte, since the sender holds locks that all others wait for."""

SEND_CHECK_INTERVAL = 1.0
"""Seconds between two checks whether the connection was closed during a wait to send."""


class PacketSender:
    """Sends the packets of one connection. A key exchange, during which only it sends, sets `cipher` and
    `compressor`."""

    def __init__(self, stream: MonitoredStream, send_plainly: Callable[[Sendable], None]) -> None:
        """`send_plainly` is paramiko's way, for other ciphers and for everything before the first key exchange."""
        self._stream = stream
        self._send_plainly = send_plainly
        self._lock = threading.Lock()  # guards the order of packets, and all below: held while messages are sent
        self._random, self._random_left = b"", 0
        self._room = memoryview(b"")
        """The buffer in which packets are built, since a new one for each would first be zeroed."""
        self.cipher: AesGcm | None = None
        self.compressor: Deflater | None = None
        self.is_closed = False

    def send(self, data: Sendable | OutgoingData) -> None:
        """Send a message, for paramiko. See `send_all`."""
        self.send_all((data,))

    def send_all(self, messages: Iterable[Sendable | OutgoingData]) -> None:
        """Send messages together, including all packets of a channel's data: one system call per small packet would
        cost more than everything else. See `write_all` for what it raises."""
        with self._lock:
            if self.cipher is None:
                for message in messages:
                    self._send_each_plainly(message)
                return
            plain: list[bytes] = []
            for message in messages:
                if isinstance(message, OutgoingData):
                    plain += [self._pad(head, content) for head, content in message.pieces()]
                else:
                    plain.append(self._pad(message.asbytes(), b""))
            self.write_all(self._seal(self.cipher, plain))

    def _send_each_plainly(self, message: Sendable | OutgoingData) -> None:
        if isinstance(message, OutgoingData):
            for head, content in message.pieces():
                self._send_plainly(Message(head + content))
        else:
            self._send_plainly(message)

    def write_all(self, out: bytes | memoryview) -> None:
        """Send all of the data. Raises EOFError, OSError, and Violation if the server accepts nothing for too long."""
        left, since, waited = memoryview(out), time.monotonic(), False
        while left:
            try:
                left = left[self._stream.send(left) :]
                since = time.monotonic()
                if waited:
                    self._stream.sign.note()  # a slow link, on which an answer may be far behind what is sent
            except (BlockingIOError, TimeoutError):
                waited = True
                if self.is_closed:
                    raise EOFError from None
                if time.monotonic() - since > SEND_TIMEOUT:
                    raise Violation(f"it did not accept any data for {SEND_TIMEOUT:.0f} s") from None
                self._stream.wait_for_room(SEND_CHECK_INTERVAL)

    def _seal(self, cipher: AesGcm, plain: list[bytes]) -> memoryview:
        """The encrypted packets, one after another; valid until the next call."""
        size = sum(map(len, plain)) + SEALED_SIZE * len(plain)
        if size > len(self._room):
            self._room = memoryview(bytearray(size))
        start = 0
        for each in plain:
            end = start + len(each) + SEALED_SIZE
            cipher.encrypt(each, self._room[start:end])
            start = end
        return self._room[:size]

    def _pad(self, head: bytes, content: bytes | memoryview) -> bytes:
        """The part of a packet that is encrypted (RFC 4253, section 6)."""
        if self.compressor is not None:
            head, content = self.compressor(head + content), b""
        padding = 4 + -(1 + len(head) + len(content) + 4) % BLOCK_SIZE
        return b"".join((PADDING_LENGTHS[padding], head, content, self._random_bytes(padding)))

    def _random_bytes(self, size: int) -> bytes:
        """Random bytes from a stock, since fetching them each time would release the interpreter's lock."""
        if self._random_left < size:
            self._random, self._random_left = os.urandom(RANDOM_POOL_SIZE), RANDOM_POOL_SIZE
        self._random_left -= size
        return self._random[self._random_left : self._random_left + size]
