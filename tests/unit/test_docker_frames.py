"""The engine's frames: whole, a byte at a time, and joined."""

from __future__ import annotations

import struct

import pytest

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.drivers.docker_frames import Frames


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(data)) + data


DATA = frame(1, b"out") + frame(1, b"put") + frame(2, b"err") + frame(1, b"") + frame(1, b"\x01\x00\x00\x00")


@pytest.mark.parametrize("step", [1, 3, 8, 11, 1000])
def test_streams_come_apart_whatever_the_pieces(step: int) -> None:
    frames = Frames()
    found = {STDOUT: b"", STDERR: b""}
    for start in range(0, len(DATA), step):
        for chunk in frames.receive(DATA[start : start + step]):
            assert chunk.data
            found[chunk.stream] += chunk.data
    assert found == {STDOUT: b"output\x01\x00\x00\x00", STDERR: b"err"}


def test_neighbours_of_one_stream_are_one_chunk() -> None:
    expected = [Chunk(STDOUT, b"output"), Chunk(STDERR, b"err"), Chunk(STDOUT, b"\x01\x00\x00\x00")]
    assert Frames().receive(DATA) == expected


@pytest.mark.parametrize(("number", "stream"), [(0, STDOUT), (3, STDERR), (9, STDERR)])
def test_the_engines_own_words_are_diagnostics(number: int, stream: int) -> None:
    assert Frames().receive(frame(number, b"x")) == [Chunk(stream, b"x")]


def test_nothing_is_nothing() -> None:
    assert Frames().receive(b"") == []
