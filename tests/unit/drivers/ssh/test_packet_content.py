"""Tests for the compression of packets, including one that would grow too large, and for encryption with older
cryptography.
"""

from __future__ import annotations

import os
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, SEALED_SIZE, AesGcm, Deflater, Inflater
from tests.unit.drivers.ssh.packet_ends import IV, KEY


def test_each_packet_is_decompressed_completely() -> None:
    deflate, inflate = Deflater(), Inflater()
    for packet in (b"a", b"a" * 100_000, os.urandom(32_000), b"a" * 100_000):
        assert inflate(deflate(packet)) == packet


def test_a_stream_keeps_its_dictionary() -> None:
    deflate = Deflater()
    text = os.urandom(5_000)
    deflate(text)
    assert len(deflate(text)) < 500


def test_a_packet_that_grows_too_large_is_a_violation() -> None:
    bomb = zlib.compress(b"\0" * (PACKET_LIMIT * 40))
    assert len(bomb) < PACKET_LIMIT
    with pytest.raises(Violation, match="too large"):
        Inflater()(bomb)


@pytest.mark.parametrize("data", [b"junk", b"", zlib.compress(b"")], ids=["junk", "nothing", "nothing compressed"])
def test_data_that_is_not_compressed_is_a_violation(data: bytes) -> None:
    with pytest.raises(Violation):
        Inflater()(data)


class OldEngine:
    """An AEAD of a cryptography release that cannot write into the caller's buffer."""

    def __init__(self, key: bytes) -> None:
        engine = AESGCM(key)
        self.encrypt, self.decrypt = engine.encrypt, engine.decrypt


@pytest.mark.parametrize("engine", [AESGCM, OldEngine])
def test_packets_are_encrypted_in_place(engine: type[AESGCM | OldEngine]) -> None:
    ours, theirs = AesGcm(engine(KEY), IV), AesGcm(AESGCM(KEY), IV)
    for plain in (b"x" * 16, b"y" * 32):
        room = memoryview(bytearray(len(plain) + SEALED_SIZE))
        ours.encrypt(plain, room)
        assert bytes(room[:4]) == len(plain).to_bytes(4, "big")
        assert theirs.decrypt(room[4:], room[:4]) == plain
