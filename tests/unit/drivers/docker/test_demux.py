"""Tests for decoding the engine's frames, whole, a byte at a time, and joined."""

from __future__ import annotations

import struct

import pytest

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.drivers.docker.demux import FrameDecoder, FrameError


def frame(stream: int, data: bytes) -> bytes:
    return struct.pack(">BxxxI", stream, len(data)) + data


DATA = frame(1, b"out") + frame(1, b"put") + frame(2, b"err") + frame(1, b"") + frame(1, b"\x01\x00\x00\x00")


@pytest.mark.parametrize("step", [1, 3, 8, 11, 1000])
def test_streams_are_separated_however_the_data_is_split(step: int) -> None:
    frames = FrameDecoder()
    found = {STDOUT: b"", STDERR: b""}
    for start in range(0, len(DATA), step):
        for chunk in frames.receive(DATA[start : start + step]):
            assert chunk.data
            found[chunk.stream] += chunk.data
    assert found == {STDOUT: b"output\x01\x00\x00\x00", STDERR: b"err"}


def test_consecutive_frames_of_a_stream_are_one_chunk() -> None:
    expected = [Chunk(STDOUT, b"output"), Chunk(STDERR, b"err"), Chunk(STDOUT, b"\x01\x00\x00\x00")]
    assert FrameDecoder().receive(DATA) == expected


@pytest.mark.parametrize(("number", "stream"), [(0, STDOUT), (3, STDERR)])
def test_the_engines_own_messages_are_diagnostics(number: int, stream: int) -> None:
    assert FrameDecoder().receive(frame(number, b"x")) == [Chunk(stream, b"x")]


def test_no_data_gives_no_chunk() -> None:
    assert FrameDecoder().receive(b"") == []


@pytest.mark.parametrize("number", [4, 7, 255])
def test_a_frame_of_an_unknown_kind_is_an_error(number: int) -> None:
    with pytest.raises(FrameError):
        FrameDecoder().receive(frame(1, b"x") + frame(number, b"x"))


def test_nothing_is_buffered_of_an_incomplete_frame() -> None:
    frames = FrameDecoder()
    assert frames.receive(struct.pack(">BxxxI", 1, 2**32 - 1) + b"abc") == [Chunk(STDOUT, b"abc")]
    assert frames.receive(b"def") == [Chunk(STDOUT, b"def")]
