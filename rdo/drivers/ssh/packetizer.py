"""SSH packets on the wire: paramiko's Packetizer, with a way of our own for AES-GCM (RFC 5647), which is what most
servers agree to. paramiko copies each packet five times; here data is copied once, by the cipher.

Other ciphers, and all before the first key exchange, go paramiko's way. Knows packets, no channels.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_FAILURE, MSG_CHANNEL_OPEN_SUCCESS
from paramiko.message import Message
from paramiko.packet import Packetizer
from paramiko.ssh_exception import SSHException

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh.channel_data import IncomingData, OutgoingData, Sendable
from rdo.drivers.ssh.fields import FieldReader, Violation
from rdo.drivers.ssh.keepalive import MonitoredStream
from rdo.drivers.ssh.read_ahead import ReadAhead

BLOCK = 16
TAG = 16
RANDOM_POOL_SIZE = 1024
"""Random bytes for padding that are fetched at a time."""

PACKET_MINIMUM = 12
"""Bytes of a packet behind its length (RFC 4253, section 6); of one of AES-GCM 16, as the cipher finds out."""

PACKET_LIMIT = READ_SIZE + 4096
"""Bytes of a packet: of data for a channel, what we allow the server, and a header. OpenSSH takes no larger one."""

SEND_TIMEOUT = 40.0
"""Seconds for the server to take any byte of what is sent: who sends holds locks that all others wait for."""

SEND_CHECK_INTERVAL = 1.0
"""Seconds between two looks whether the connection was closed while we wait to send."""


CHANNEL_MESSAGES = range(MSG_CHANNEL_OPEN_SUCCESS, MSG_CHANNEL_FAILURE + 1)
"""Numbers of the messages for a channel: each begins with the receiver's number for it (RFC 4254, section 5)."""

MessageHandler = Callable[[int, int, bytes | memoryview], bool]
"""Takes a message for a channel: its number, the channel's, and what stands behind that; of data, nothing but the data.
Whether it was taken.
"""


Compressor = Callable[[bytes], bytes]
"""Makes a payload smaller, or what it was."""


class Nonce:
    """The initialisation vector of RFC 5647, section 7.1: four fixed bytes, and a counter of the packets."""

    def __init__(self, start: bytes) -> None:
        self._fixed = start[:4]
        self._counter = int.from_bytes(start[4:], "big")

    def take(self) -> bytes:
        """The one for the next packet."""
        counter, self._counter = self._counter, (self._counter + 1) & 0xFFFFFFFFFFFFFFFF
        return self._fixed + counter.to_bytes(8, "big")


class Packets(Packetizer):
    """Sends and receives the packets of one connection."""

    def __init__(self, stream: MonitoredStream) -> None:
        super().__init__(stream)  # type: ignore[arg-type]
        self._stream = stream
        self.incoming = ReadAhead(stream)
        self._sending = threading.Lock()
        self._random = b""
        self._seal: Any = None
        self._seal_nonce = Nonce(b"")
        self._open: Any = None
        self._is_keyed = False
        self._deflate: Compressor | None = None
        self._inflate: Compressor | None = None
        self._open_nonce = Nonce(b"")
        self._ahead = b""
        """A packet that was opened and is still to be read."""
        self.sequence = 0
        """The number of the next message to be read."""
        self.take: MessageHandler = lambda kind, number, body: False
        """Is offered the messages for channels; what it does not take is read."""

    def set_outbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        """As paramiko has it, and calls it."""
        super().set_outbound_cipher(**cipher)
        self._seal = _gcm(cipher, self._seal)
        self._seal_nonce = Nonce(cipher["iv_out"] or b"")

    def set_inbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        """As paramiko has it, and calls it."""
        super().set_inbound_cipher(**cipher)
        self._is_keyed = True
        self._open = _gcm(cipher, self._open)
        self._open_nonce = Nonce(cipher["iv_in"] or b"")

    def set_outbound_compressor(self, compressor: Compressor) -> None:
        """As paramiko has it, and calls it."""
        super().set_outbound_compressor(compressor)  # type: ignore[arg-type]
        self._deflate = compressor

    def set_inbound_compressor(self, compressor: Compressor) -> None:
        """As paramiko has it, and calls it."""
        super().set_inbound_compressor(compressor)  # type: ignore[arg-type]
        self._inflate = compressor

    def reset_seqno_in(self) -> None:
        """As paramiko has it, and calls it."""
        super().reset_seqno_in()
        self.sequence = 0

    # Out

    def send_message(self, data: Sendable | OutgoingData) -> None:
        """Send a message, or all packets of an input."""
        with self._sending:
            if self._seal is None:
                for message in _messages(data):
                    super().send_message(message)  # type: ignore[arg-type]
                return
            pieces = data.pieces() if isinstance(data, OutgoingData) else [(data.asbytes(), b"")]
            self.write_all(b"".join(part for head, content in pieces for part in self._sealed(head, content)))

    def _sealed(self, head: bytes, content: bytes | memoryview) -> tuple[bytes, bytes]:
        if self._deflate is not None:
            head, content = self._deflate(head + content), b""
        padding = 4 + -(1 + len(head) + len(content) + 4) % BLOCK
        plain = b"".join((bytes((padding,)), head, content, self._noise(padding)))
        length = len(plain).to_bytes(4, "big")
        return length, self._seal.encrypt(self._seal_nonce.take(), plain, length)

    def write_all(self, out: bytes) -> None:  # type: ignore[override]
        """Send it all. Raises EOFError, OSError, and Violation where the server takes nothing for too long."""
        left, since = memoryview(out), time.monotonic()
        while left:
            try:
                left = left[self._stream.send(left) :]
                since = time.monotonic()
            except (BlockingIOError, TimeoutError):
                if self.closed:
                    raise EOFError from None
                if time.monotonic() - since > SEND_TIMEOUT:
                    raise Violation(f"it took nothing of what was sent for {SEND_TIMEOUT:.0f} s") from None
                self._stream.wait_for_room(SEND_CHECK_INTERVAL)

    def _noise(self, size: int) -> bytes:
        """Random bytes, fetched in stock: each call to the system would let go of the interpreter's lock."""
        if len(self._random) < size:
            self._random = os.urandom(RANDOM_POOL_SIZE)
        noise, self._random = self._random[:size], self._random[size:]
        return noise

    def close(self) -> None:
        """As paramiko has it, and calls it."""
        self.incoming.closed = True
        super().close()

    # In

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        """As paramiko has it, and calls it for what goes its way: so many bytes. Raises EOFError, Violation."""
        if not 0 <= n <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {n} bytes")
        self.incoming.fill(n)
        return bytes(self.incoming.take(n))

    def read_message(self) -> tuple[int, Message | IncomingData]:  # type: ignore[override]
        """The next message that is not taken: its number, and its body. Raises EOFError, SSHException, Violation."""
        while True:
            self.sequence = (self.sequence + 1) & 0xFFFFFFFF
            if self._open is None:
                kind, message = self._read_plainly()
                if not self._is_taken(kind, message.asbytes()):
                    return kind, message
                continue
            plain = self._opened()
            kind = plain[1]
            if kind == MSG_CHANNEL_DATA:
                output = self._whole(IncomingData(plain))
                if not self.take(kind, output.channel, output.data):
                    return kind, output
            else:
                payload = plain[2 : len(plain) - plain[0]]
                if not self._is_taken(kind, payload):
                    return kind, Message(payload)

    def _opened(self) -> bytes:
        """The next packet: how much padding ends it, the number of its message, and that."""
        plain, self._ahead = self._ahead or self._read_packet(), b""
        if plain[0] > len(plain) - 2:
            raise Violation("it sent a packet of nothing but padding")
        if self._inflate is None:
            return plain
        return b"\0" + self._inflate(plain[1 : len(plain) - plain[0]])

    def _read_plainly(self) -> tuple[int, Message]:
        """By paramiko, which believes any length."""
        if not self._is_keyed:
            self._check_length()
        return super().read_message()

    def _is_taken(self, kind: int, payload: bytes) -> bool:
        if kind not in CHANNEL_MESSAGES:
            return False
        fields = FieldReader(payload)
        number = fields.number()
        return self.take(kind, number, fields.string() if kind == MSG_CHANNEL_DATA else payload[4:])

    def _whole(self, output: IncomingData) -> IncomingData:
        """With the data of the packets behind it that have come: sshd sends 32 KiB at a time, and to hand a piece on
        costs more than its bytes. Of packets that are no such data, one at most is opened, as keys may change then.
        """
        pieces, size = [output.data], len(output.data)
        while self._inflate is None and 0 < (length := self._next_length()) <= READ_SIZE - size:
            self._ahead = self._read_packet()
            if not output.goes_on_in(self._ahead):
                break
            pieces.append(IncomingData(self._ahead).data)
            self.sequence = (self.sequence + 1) & 0xFFFFFFFF
            self._ahead = b""
            size += length
        if len(pieces) > 1:
            output.data = memoryview(b"".join(pieces))
        return output

    def _next_length(self) -> int:
        """Bytes of the next packet if all of it has come, else 0."""
        come = len(self.incoming)
        if come < 4:
            return 0
        length = self._length()
        return length if come >= 4 + length + TAG else 0

    def _length(self) -> int:
        """What stands before the next packet."""
        return int.from_bytes(self.incoming.peek(4), "big")

    def _check_length(self) -> int:
        """Bytes of the next packet, of which its length at least has come then. Raises EOFError, OSError, Violation."""
        self.incoming.fill(4)
        length = self._length()
        if not PACKET_MINIMUM <= length <= PACKET_LIMIT:
            raise Violation(f"it sent a packet of {length} bytes")
        return length

    def _read_packet(self) -> bytes:
        length = self._check_length()
        self.incoming.fill(4 + length + TAG)
        packet = self.incoming.take(4 + length + TAG)
        return bytes(self._open.decrypt(self._open_nonce.take(), packet[4:], packet[:4]))


def _gcm(cipher: Mapping[str, Any], before: Any) -> Any:
    """The engine of a new cipher if it is AES-GCM, else None. Raises SSHException.

    paramiko's own count of packets, which other ciphers need, stands still while packets go our way.
    """
    if before is not None and not cipher["aead"]:
        raise SSHException("the server changed to another kind of cipher")
    return cipher["block_engine"] if cipher["aead"] else None


def _messages(data: Sendable | OutgoingData) -> Iterator[Sendable]:
    if isinstance(data, OutgoingData):
        for head, content in data.pieces():
            yield Message(head + content)
    else:
        yield data
