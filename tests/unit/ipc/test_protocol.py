"""Tests for the frames of the control socket: one table is written and read, whole, a byte at a time, and with more
data after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.errors import ConnectError, LinkLost, RdoError
from rdo.ipc import protocol
from rdo.ipc.protocol import Decoder, ProtocolError, frame

FRAMES = [
    pytest.param(protocol.ANSWER, b"1secret", b"A\0\0\0\x071secret", id="answer"),
    pytest.param(protocol.INPUT, b"\0\xff\n", b"I\0\0\0\x03\0\xff\n", id="input"),
    pytest.param(protocol.END, b"", b"E\0\0\0\0", id="end"),
    pytest.param(protocol.SIGNAL, b"INT", b"S\0\0\0\x03INT", id="signal"),
    pytest.param(protocol.WINDOW, protocol.encode_window(24, 80, 640, 65535),
                 b"W\0\0\0\x08\0\x18\0P\x02\x80\xff\xff", id="window"),
    pytest.param(protocol.QUERY, b"", b"Q\0\0\0\0", id="query"),
    pytest.param(protocol.STOP, b"1", b"X\0\0\0\x011", id="stop"),
    pytest.param(protocol.ACCEPTED, b"", b"K\0\0\0\0", id="accepted"),
    pytest.param(protocol.STALE, b"", b"Z\0\0\0\0", id="stale"),
    pytest.param(protocol.PROMPT, b"0Password: ", b"P\0\0\0\x0b0Password: ", id="prompt"),
    pytest.param(protocol.NOTICE, b"hello", b"N\0\0\0\x05hello", id="notice"),
    pytest.param(protocol.PROGRESS, b"wait", b"G\0\0\0\x04wait", id="progress"),
    pytest.param(protocol.STARTED, b"", b"B\0\0\0\0", id="started"),
    pytest.param(protocol.OUTPUT, b"x" * 300, b"O\0\0\x01\x2c" + b"x" * 300, id="output"),
    pytest.param(protocol.ERROR, b"E\0\0\0\0", b"D\0\0\0\x05E\0\0\0\0", id="error output that looks like a frame"),
    pytest.param(protocol.CREDIT, protocol.encode_credit(1 << 20), b"C\0\0\0\x04\0\x10\0\0", id="credit"),
    pytest.param(protocol.STOPPED, b"", b"T\0\0\0\0", id="stopped"),
    pytest.param(protocol.EXIT, b"\xff", b"X\0\0\0\x01\xff", id="exit"),
    pytest.param(protocol.FAILED, b"what\0why\0hint", b"F\0\0\0\x0dwhat\0why\0hint", id="failed"),
    pytest.param(protocol.REPORT, b"{}", b"J\0\0\0\x02{}", id="report"),
]  # fmt: skip

Frames = list[tuple[bytes, bytes]]


def joined(frames: Iterable[protocol.Frame]) -> Frames:
    """The frames, with consecutive ones of a stream joined, and empty ones dropped."""
    found: Frames = []
    for kind, payload in frames:
        if kind in protocol.STREAMS and found and found[-1][0] == kind:
            found[-1] = (kind, found[-1][1] + payload)
        elif payload or kind not in protocol.STREAMS:
            found.append((kind, bytes(payload)))
    return found


each_frame = pytest.mark.parametrize(("kind", "payload", "wire"), FRAMES)


@each_frame
def test_a_frame_is_written(kind: bytes, payload: bytes, wire: bytes) -> None:
    assert frame(kind, payload) == wire
    assert protocol.header(kind, len(payload)) + payload == wire


@each_frame
def test_a_whole_frame_is_read(kind: bytes, payload: bytes, wire: bytes) -> None:
    assert Decoder().receive(wire) == [(kind, payload)]


@each_frame
def test_a_frame_is_read_a_byte_at_a_time(kind: bytes, payload: bytes, wire: bytes) -> None:
    decoder = Decoder()
    *early, last = [decoder.receive(wire[index : index + 1]) for index in range(len(wire))]
    assert joined([*(frame for frames in early for frame in frames), *last]) == joined([(kind, payload)])
    assert kind in protocol.STREAMS or early == [[]] * (len(wire) - 1)


@each_frame
def test_a_frame_is_read_with_another_after_it(kind: bytes, payload: bytes, wire: bytes) -> None:
    decoder = Decoder()
    both = [(kind, payload + payload)] if kind in protocol.STREAMS else [(kind, payload)] * 2
    assert decoder.receive(wire + wire + b"I\0\0") == both
    assert decoder.receive(b"\0\x01x") == [(b"I", b"x")]


def test_consecutive_frames_of_a_stream_are_joined() -> None:
    pieces = [(b"O", b"a"), (b"O", b"b"), (b"D", b"c"), (b"O", b"d"), (b"C", b"1234"), (b"C", b"1234"), (b"O", b"e")]
    wire = b"".join(frame(kind, payload) for kind, payload in pieces)
    assert Decoder().receive(wire + b"O\0\0\0\x02f") == [(b"O", b"ab"), *pieces[2:-1], (b"O", b"ef")]


@given(st.lists(st.tuples(st.binary(min_size=1, max_size=1), st.binary())), st.lists(st.integers(0, 400)))
def test_frames_come_out_in_order_however_they_were_split(frames: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    wire = b"".join(frame(*each) for each in frames)
    edges = [0, *sorted(min(cut, len(wire)) for cut in cuts), len(wire)]
    decoder = Decoder()
    found = [decoder.receive(wire[start:end]) for start, end in pairwise(edges)]
    assert joined(each for some in found for each in some) == joined(frames)


def test_stream_data_is_passed_on_before_its_frame_is_complete() -> None:
    decoder = Decoder()
    assert decoder.receive(frame(b"O", b"abcdef")[:-4]) == [(b"O", b"ab")]
    assert (decoder.kind, decoder.length, decoder.left) == (b"O", 6, 4)
    assert decoder.receive(b"cd") == [(b"O", b"cd")]
    assert decoder.receive(b"ef" + frame(b"X", b"\0")) == [(b"O", b"ef"), (b"X", b"\0")]


def test_data_that_was_already_passed_on_is_not_waited_for() -> None:
    decoder = Decoder()
    decoder.receive(protocol.header(b"O", 6) + b"ab")
    decoder.left = 0
    assert decoder.receive(frame(b"X", b"\0")) == [(b"X", b"\0")]


def test_the_longest_frame_is_read() -> None:
    payload = bytes(protocol.PAYLOAD_LIMIT)
    assert Decoder().receive(frame(b"R", payload)) == [(b"R", payload)]


def test_a_longer_frame_is_refused_before_it_has_arrived() -> None:
    with pytest.raises(ProtocolError) as caught:
        Decoder().receive(b"R\x01\0\0\x01")
    assert str(caught.value) == "a frame is too long: 16777217 bytes"


@given(st.lists(st.binary()))
def test_any_bytes_are_decoded_or_refused(pieces: list[bytes]) -> None:
    decoder = Decoder()
    try:
        for piece in pieces:
            decoder.receive(piece)
    except ProtocolError:
        pass


SHORT = st.integers(0, 65535)


@given(st.tuples(SHORT, SHORT, SHORT, SHORT))
def test_a_window_size_is_encoded_and_decoded(size: tuple[int, int, int, int]) -> None:
    assert protocol.decode_window(protocol.encode_window(*size)) == size


@given(st.integers(0, 2**32 - 1))
def test_a_credit_is_encoded_and_decoded(size: int) -> None:
    assert protocol.decode_credit(protocol.encode_credit(size)) == size


@given(st.binary().filter(lambda payload: len(payload) != 8))
def test_a_window_size_of_another_length_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="malformed window size"):
        protocol.decode_window(payload)


@given(st.binary().filter(lambda payload: len(payload) != 4))
def test_a_credit_of_another_length_is_refused(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="malformed credit"):
        protocol.decode_credit(payload)


@given(st.text(st.characters()), st.text(st.characters()), st.text(st.characters()))
def test_a_failure_is_shown_by_the_client_as_it_would_be_by_the_master(what: str, why: str, hint: str) -> None:
    error = ConnectError(what, why, hint)
    assert str(protocol.decode_failure(protocol.encode_failure(error))) == str(error)


def test_an_empty_name_is_seen_by_whoever_shows_a_failure_as_it_is() -> None:
    assert protocol.encode_failure(RdoError("no ``", "``", "type `` or ``")) == b"no `''`\0`''`\0type `''` or `''`\0"


KINDS = [(ConnectError, ConnectError), (LinkLost, RdoError), (RdoError, RdoError)]


@pytest.mark.parametrize(("kind", "arrives"), KINDS)
def test_a_client_can_tell_that_no_connection_was_made(kind: type[RdoError], arrives: type[RdoError]) -> None:
    assert type(protocol.decode_failure(protocol.encode_failure(kind("a", "b", "c")))) is arrives


@pytest.mark.parametrize(
    ("payload", "parts"),
    [
        pytest.param(b"", ("", "", ""), id="empty"),
        pytest.param(b"what", ("what", "", ""), id="one part"),
        pytest.param(b"what\0why", ("what", "why", ""), id="two parts"),
        pytest.param(b"what\0why\0hint\0more", ("what", "why", "hint"), id="four parts"),
        pytest.param(b"\xff\0\0", ("\ufffd", "", ""), id="not UTF-8"),
    ],
)
def test_any_failure_can_be_decoded(payload: bytes, parts: tuple[str, str, str]) -> None:
    error = protocol.decode_failure(payload)
    assert type(error) is RdoError
    assert (error.what, error.why, error.hint) == parts
