"""Compression of packets: what goes in comes out, and a packet that would grow beyond all bounds does not."""

from __future__ import annotations

import os
import zlib

import pytest

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.packet_content import PACKET_LIMIT, Deflater, Inflater


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
