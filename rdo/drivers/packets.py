"""SSH packets on the wire: paramiko's Packetizer, with a way of our own for AES-GCM (RFC 5647), which is what most
servers agree to. paramiko copies each packet five times; here data is copied once, by the cipher.

Other ciphers, and all before the first key exchange, go paramiko's way. Knows packets, no channels.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from paramiko.common import MSG_CHANNEL_DATA, MSG_CHANNEL_FAILURE, MSG_CHANNEL_OPEN_SUCCESS
from paramiko.message import Message
from paramiko.packet import Packetizer
from paramiko.ssh_exception import SSHException

from rdo.drivers.base import READ_SIZE
from rdo.drivers.channel_data import Input, Output, Sendable
from rdo.drivers.heartbeat import HeardSocket

BLOCK = 16
TAG = 16
NOISE = 1024
"""Random bytes for padding that are fetched at a time."""

ROOM = 1024 * 1024
"""Bytes read ahead: more than one packet, of which the largest is what we allow the server (READ_SIZE) and a header."""


CHANNEL_MESSAGES = range(MSG_CHANNEL_OPEN_SUCCESS, MSG_CHANNEL_FAILURE + 1)
"""Numbers of the messages for a channel: each begins with the receiver's number for it (RFC 4254, section 5)."""

Taker = Callable[[int, int, bytes | memoryview], bool]
"""Takes a message for a channel: its number, the channel's, and what stands behind that; of data, nothing but the data.
Whether it was taken.
"""


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

    def __init__(self, wire: HeardSocket) -> None:
        super().__init__(wire)  # type: ignore[arg-type]
        self._wire = wire
        self._sending = threading.Lock()
        self._random = b""
        self._seal: Any = None
        self._seal_nonce = Nonce(b"")
        self._open: Any = None
        self._open_nonce = Nonce(b"")
        self._room = memoryview(bytearray())
        self._start = self._end = 0
        self._ahead = b""
        """A packet that was opened and is still to be read."""
        self._handshake_over = False
        self._deferred: list[Callable[[], None]] = []
        self.take: Taker = lambda kind, number, body: False
        """Is offered the messages for channels; what it does not take is read."""

    def set_outbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        """As paramiko has it, and calls it."""
        super().set_outbound_cipher(**cipher)
        self._seal = _gcm(cipher, self._seal)
        self._seal_nonce = Nonce(cipher["iv_out"] or b"")

    def set_inbound_cipher(self, **cipher: Any) -> None:  # type: ignore[override]
        """As paramiko has it, and calls it."""
        super().set_inbound_cipher(**cipher)
        self._open = _gcm(cipher, self._open)
        self._open_nonce = Nonce(cipher["iv_in"] or b"")
        if self._open and not self._room:
            self._room = memoryview(bytearray(ROOM))

    def complete_handshake(self) -> None:
        """Stop the clock of the handshake, once: paramiko says so behind each message, at the cost of a small one."""
        if not self._handshake_over:
            self._handshake_over = True
            super().complete_handshake()

    # Out

    def send_message(self, data: Sendable | Input) -> None:
        """Send a message, or all packets of an input."""
        with self._sending:
            if self._seal is None:
                for message in _messages(data):
                    super().send_message(message)  # type: ignore[arg-type]
                return
            pieces = data.pieces() if isinstance(data, Input) else [(data.asbytes(), b"")]
            self.write_all(b"".join(part for head, content in pieces for part in self._sealed(head, content)))

    def _sealed(self, head: bytes, content: bytes | memoryview) -> tuple[bytes, bytes]:
        padding = 4 + -(1 + len(head) + len(content) + 4) % BLOCK
        plain = b"".join((bytes((padding,)), head, content, self._noise(padding)))
        length = len(plain).to_bytes(4, "big")
        return length, self._seal.encrypt(self._seal_nonce.take(), plain, length)

    def _noise(self, size: int) -> bytes:
        """Random bytes, fetched in stock: each call to the system would let go of the interpreter's lock."""
        if len(self._random) < size:
            self._random = os.urandom(NOISE)
        noise, self._random = self._random[:size], self._random[size:]
        return noise

    # In

    def read_message(self) -> tuple[int, Message | Output]:  # type: ignore[override]
        """The next message that is not taken: its number, and its body. Raises EOFError, SSHException."""
        while True:
            if self._open is None:
                kind, message = super().read_message()
                if not self._is_taken(kind, message.asbytes()):
                    return kind, message
                continue
            plain, self._ahead = self._ahead or self._read_packet(), b""
            kind = plain[1]
            if kind == MSG_CHANNEL_DATA:
                output = self._whole(Output(plain))
                if not self.take(kind, output.get_int(), output.data):
                    return kind, output
            else:
                payload = plain[2 : len(plain) - plain[0]]
                if not self._is_taken(kind, payload):
                    return kind, Message(payload)

    def _is_taken(self, kind: int, payload: bytes) -> bool:
        if kind not in CHANNEL_MESSAGES:
            return False
        return self.take(kind, int.from_bytes(payload[:4], "big"), payload[8 if kind == MSG_CHANNEL_DATA else 4 :])

    def _whole(self, output: Output) -> Output:
        """With the data of the packets behind it that have come: sshd sends 32 KiB at a time, and to hand a piece on
        costs more than its bytes. Of packets that are no such data, one at most is opened, as keys may change then.
        """
        pieces, size = [output.data], len(output.data)
        while 0 < (length := self._next_length()) <= READ_SIZE - size:
            self._ahead = self._read_packet()
            if not output.goes_on_in(self._ahead):
                break
            pieces.append(Output(self._ahead).data)
            self._ahead = b""
            size += length
        if len(pieces) > 1:
            output.data = memoryview(b"".join(pieces))
        return output

    def _next_length(self) -> int:
        """Bytes of the next packet if all of it has come, else 0."""
        come = self._end - self._start
        if come < 4:
            return 0
        length = self._length()
        return length if come >= 4 + length + TAG else 0

    def _length(self) -> int:
        """What stands before the next packet."""
        return int.from_bytes(self._room[self._start : self._start + 4], "big")

    def _read_packet(self) -> bytes:
        self._fill(4)
        length = self._length()
        end = 4 + length + TAG
        if length < BLOCK or end > len(self._room):
            raise SSHException(f"a packet of {length} bytes")
        self._fill(end)
        packet = self._room[self._start : self._start + end]
        self._start += end
        return bytes(self._open.decrypt(self._open_nonce.take(), packet[4:], packet[:4]))

    def defer(self, act: Callable[[], None]) -> None:
        """Do it before the next wait for packets, or at once where that is not known. Of the thread that reads."""
        if self._open is None:
            act()
        else:
            self._deferred.append(act)

    def _fill(self, size: int) -> None:
        """Read until there are so many bytes. Raises EOFError."""
        if self._start + size > len(self._room):
            rest = self._end - self._start
            self._room[:rest] = bytes(self._room[self._start : self._end])
            self._start, self._end = 0, rest
        while self._end - self._start < size:
            if self._start == self._end:
                self._start = self._end = 0
            self._end += self._read_into(self._room[self._end :])

    def _read_into(self, room: memoryview) -> int:
        while self._deferred:
            self._deferred.pop(0)()
        while True:
            try:
                count = self._wire.recv_into(room)
            except TimeoutError:
                if self.closed or self.handshake_timed_out():
                    raise EOFError from None
            else:
                if count == 0:
                    raise EOFError
                return count


def _gcm(cipher: Mapping[str, Any], before: Any) -> Any:
    """The engine of a new cipher if it is AES-GCM, else None. Raises SSHException.

    paramiko's own count of packets, which other ciphers need, stands still while packets go our way.
    """
    if before is not None and not cipher["aead"]:
        raise SSHException("the server changed to another kind of cipher")
    return cipher["block_engine"] if cipher["aead"] else None


def _messages(data: Sendable | Input) -> Iterator[Sendable]:
    if isinstance(data, Input):
        for head, content in data.pieces():
            yield Message(head + content)
    else:
        yield data
