"""Tests for extracting marks from a pty's output, however it is split, without holding anything else back."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.remote_sh import markers
from rdo.remote_sh.markers import MARK_LIMIT, Mark, Marks

NONCE = "0123456789abcdef"
START = f"\033]rdo;{NONCE};".encode()
LONGEST = MARK_LIMIT - len(START) - len(b"\a\r\n")


def mark(text: str, end: bytes = b"\r\n") -> bytes:
    """A mark, and the end of its line."""
    return markers.mark(NONCE, text) + end


def received(*pieces: bytes) -> list[bytes | Mark]:
    """The output for the pieces, in order, and for the end."""
    marks = Marks(NONCE)
    told = [each for piece in pieces for each in marks.receive(piece)]
    return joined([*told, marks.end()])


def joined(pieces: list[bytes | Mark]) -> list[bytes | Mark]:
    """The pieces, with consecutive output joined."""
    found: list[bytes | Mark] = []
    for each in pieces:
        if isinstance(each, bytes) and found and isinstance(found[-1], bytes):
            found[-1] += each
        elif each:
            found.append(each)
    return found


STREAMS = [
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"$ ", [b"$ "], id="a prompt"),
    pytest.param(mark("stopped"), [Mark("stopped")], id="a mark"),
    pytest.param(b"a" + mark("group;12") + b"b", [b"a", Mark("group;12"), b"b"], id="in the middle"),
    pytest.param(2 * mark("x"), [Mark("x"), Mark("x")], id="two in a row"),
    pytest.param(mark(""), [Mark("")], id="an empty one"),
    pytest.param(START + b"\xff\a\n", [Mark("\ufffd")], id="one that is not ASCII"),
    pytest.param(mark("x" * LONGEST), [Mark("x" * LONGEST)], id="the longest"),
    pytest.param(mark("x" * LONGEST + "y"), [mark("x" * LONGEST + "y")], id="a longer one is none"),
    pytest.param(START + b"x" * 99 + mark("x"), [START + b"x" * 99, Mark("x")], id="a mark behind one too long"),
    pytest.param(START + mark("x"), [START, Mark("x")], id="a mark behind a start"),
    pytest.param(START + b"x", [START + b"x"], id="one that was cut off"),
    pytest.param(b"\033\033]rdo;", [b"\033\033]rdo;"], id="the start of one"),
    pytest.param(mark("x", b"\n"), [Mark("x")], id="on a terminal that is raw"),
    pytest.param(mark("x", b""), [mark("x", b"")], id="one without the end of its line"),
    pytest.param(mark("x", b"\rx"), [mark("x", b"\rx")], id="one with another end"),
    pytest.param(markers.mark("f" * 16, "x"), [markers.mark("f" * 16, "x")], id="another session's"),
    pytest.param(b"\033]0;title\a", [b"\033]0;title\a"], id="another sequence"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "pieces"), STREAMS)
def test_marks_are_taken_out_of_whole_output(stream: bytes, pieces: list[bytes | Mark]) -> None:
    assert received(stream) == pieces


@pytest.mark.parametrize(("stream", "pieces"), STREAMS)
def test_marks_are_taken_out_a_byte_at_a_time(stream: bytes, pieces: list[bytes | Mark]) -> None:
    assert received(*(stream[index : index + 1] for index in range(len(stream)))) == pieces


@pytest.mark.parametrize(("stream", "pieces"), STREAMS)
def test_marks_are_taken_out_with_output_after_them(stream: bytes, pieces: list[bytes | Mark]) -> None:
    assert received(stream + b"\033[0m$ ") == joined([*pieces, b"\033[0m$ "])


def as_output(pieces: list[bytes | Mark]) -> bytes:
    return b"".join(mark(each.text) if isinstance(each, Mark) else each for each in pieces)


PIECES = [b"\033", b"\033]", START[:-1], START, b"\033[31m", START + b"x" * LONGEST]
OUTPUT = st.sampled_from(PIECES) | st.binary().map(lambda data: data.replace(b"\a", b""))  # a start and BEL: a mark
TEXT = st.text("abc;019", max_size=LONGEST)


@given(st.lists(OUTPUT | TEXT.map(Mark)), st.lists(st.integers(0, 500)))
def test_any_split_gives_output_and_marks_in_order(parts: list[bytes | Mark], cuts: list[int]) -> None:
    stream = as_output(parts)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = received(*(stream[start:end] for start, end in pairwise(edges)))
    assert pieces == received(stream)
    assert as_output(pieces) == stream
    assert [each for each in pieces if isinstance(each, Mark)] == [each for each in parts if isinstance(each, Mark)]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        pytest.param(b"Password: ", b"Password: ", id="a prompt without newline"),
        pytest.param(b"a\033", b"a", id="an escape character waits"),
        pytest.param(b"a\033[", b"a\033[", id="its second byte tells"),
        pytest.param(b"a\033]", b"a", id="an operating system command waits"),
        pytest.param(b"a\033]0", b"a\033]0", id="its third byte tells"),
        pytest.param(b"a" + START, b"a", id="the whole start waits"),
        pytest.param(b"a" + START + b"x" * LONGEST, b"a", id="the longest mark waits for its end"),
        pytest.param(b"a" + mark("x", b"\r"), b"a", id="a mark waits for the end of its line"),
        pytest.param(START + b"x" * LONGEST + b"y", START + b"x" * LONGEST + b"y", id="no longer than that"),
        pytest.param(START + b"\033[", START + b"\033[", id="another sequence inside tells"),
        pytest.param(START + b"\033", START, id="only the last escape character waits"),
    ],
)
def test_only_what_may_be_a_mark_is_held_back(data: bytes, shown: bytes) -> None:
    marks = Marks(NONCE)
    assert b"".join(each for each in marks.receive(data) if isinstance(each, bytes)) == shown
    assert marks.end() == data[len(shown) :]
    assert marks.end() == b""


def test_no_pattern_is_compiled_for_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(re, "compile")
    assert received(mark("ready") + b"out", mark("stopped")) == [Mark("ready"), b"out", Mark("stopped")]


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        (mark("lost"), True),
        (START, True),
        (START + b"x", True),
        (START[:-1], False),
        (b"", False),
        (b"x" + START, False),
    ],
)
def test_output_that_begins_with_a_mark_is_distinguished_from_other_output(output: bytes, begins: bool) -> None:
    assert Marks(NONCE).may_be_in(output) is begins
    assert Marks(NONCE).may_be_in(memoryview(output)) is begins


def test_a_mark_may_follow_a_mark_but_not_output() -> None:
    marks = Marks(NONCE)
    seen = []
    for output in (mark("lost"), mark("astray")[:-1], b"\n", b"x", mark("lost")):
        seen.append(marks.may_be_in(output))
        marks.receive(output)
    assert seen == [True, True, True, False, False]


def test_on_a_pty_marks_may_be_anywhere() -> None:
    marks = Marks(NONCE, anywhere=True)
    assert marks.may_be_in(b"x")
    assert marks.may_be_in(b"")
