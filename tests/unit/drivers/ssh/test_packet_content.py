"""Compression of packets: what goes in comes out, and a packet that would grow beyond all bounds does not. And
encryption, with whatever release of cryptography there is.
"""

from __future__ import annotations

import os
import zlib

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, SEALED_SIZE, AesGcm, Deflater, Inflater
from tests.unit.drivers.ssh.packet_ends import IV, KEY


def test_each_packet_comes_out_whole_as_it_comes() -> None:
    deflate, inflate = Deflater(), Inflater()
    for packet in (b"a", b"a" * 100_000, os.urandom(32_000), b"a" * 100_000):
        assert inflate(deflate(packet)) == packet


def test_a_stream_remembers_what_came_before() -> None:
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
def test_what_was_not_compressed_is_a_violation(data: bytes) -> None:
    with pytest.raises(Violation):
        Inflater()(data)


class OldEngine:
    """What a release of cryptography has that writes into no place of the caller's."""

    def __init__(self, key: bytes) -> None:
        engine = AESGCM(key)
        self.encrypt, self.decrypt = engine.encrypt, engine.decrypt


@pytest.mark.parametrize("engine", [AESGCM, OldEngine])
def test_packets_are_made_in_the_room_for_them(engine: type[AESGCM | OldEngine]) -> None:
    ours, theirs = AesGcm(engine(KEY), IV), AesGcm(AESGCM(KEY), IV)
    for plain in (b"x" * 16, b"y" * 32):
        room = memoryview(bytearray(len(plain) + SEALED_SIZE))
        ours.encrypt(plain, room)
        assert bytes(room[:4]) == len(plain).to_bytes(4, "big")
        assert theirs.decrypt(room[4:], room[:4]) == plain
