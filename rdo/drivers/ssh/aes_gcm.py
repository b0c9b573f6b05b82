"""AES-GCM for one direction of an SSH connection (RFC 5647): each packet under a nonce of its own. Pure."""

from __future__ import annotations

from typing import Protocol

TAG_SIZE = 16


class GcmEngine(Protocol):
    """What cryptography has for a key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes, /) -> bytes: ...
    def decrypt(self, nonce: bytes, data: memoryview, associated_data: memoryview, /) -> bytes: ...


class AesGcm:
    """A key, and the counter of the packets under it (section 7.1): four fixed bytes, and eight that count."""

    def __init__(self, engine: GcmEngine, initial_vector: bytes) -> None:
        self._engine = engine
        self._fixed = initial_vector[:4]
        self._counter = int.from_bytes(initial_vector[4:], "big")

    def encrypt(self, plain: bytes, length: bytes) -> bytes:
        """The next packet, without the length that precedes it, and with the tag at its end."""
        return self._engine.encrypt(self.next_nonce(), plain, length)

    def decrypt(self, sealed: memoryview, length: memoryview) -> bytes:
        """The reverse. Raises InvalidTag for a packet that was changed on its way."""
        return self._engine.decrypt(self.next_nonce(), sealed, length)

    def next_nonce(self) -> bytes:
        """The one for the next packet."""
        counter, self._counter = self._counter, (self._counter + 1) & 0xFFFFFFFFFFFFFFFF
        return self._fixed + counter.to_bytes(8, "big")
