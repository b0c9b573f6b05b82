"""Tests for mapping remote paths in a stream to local ones, however it is split, without holding anything back
unnecessarily.
"""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rdo.paths.matcher import RootMatcher
from rdo.paths.output_mapper import HELD_LIMIT, TEXT_CHECK_SIZE, OutputMapper

NAMES = {b"/srv": b"/l", b"/srv/my app": b"/local/my app", b"/vagrant": b"/home/me/it"}
ROOTS = RootMatcher(NAMES)

SEQUENCE = re.compile(rb"\033(?:\[[0-?]*[ -.]?[@-~]|[ -.][0-~]|[0-?c])")


def mapped(*pieces: bytes) -> bytes:
    """The output for the pieces, in order, and for the end."""
    stream = OutputMapper(ROOTS)
    return b"".join([*map(stream.receive, pieces), stream.release()])


def cut(text: bytes, places: list[int]) -> list[bytes]:
    """The text in pieces."""
    edges = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


STREAMS = [
    pytest.param("", "", id="nothing"),
    pytest.param("user@vm:/vagrant$ ", "user@vm:/home/me/it$ ", id="a prompt"),
    pytest.param("/vagrant", "/home/me/it", id="no more than a root"),
    pytest.param("/vagrant/t/x.py:12: E\n/vagrant\n", "/home/me/it/t/x.py:12: E\n/home/me/it\n", id="lines"),
    pytest.param("/vagrant2 /vagran /vagrant.bak", "/vagrant2 /vagran /vagrant.bak", id="other names"),
    pytest.param("/srv/my apple/srv", "/l/my apple/srv", id="a shorter root after all"),
    pytest.param("file:///srv/my%20app/x", "file:///local/my%20app/x", id="a URL"),
    pytest.param("file://localhost/vagrant", "file://localhost/home/me/it", id="a URL with a host"),
    pytest.param("\u2018/vagrant\u2019 \u300c/srv/x\u300d", "\u2018/home/me/it\u2019 \u300c/l/x\u300d", id="quotes"),
    pytest.param("\033[1m/vagrant/x\033[m:1", "\033[1m/home/me/it/x\033[m:1", id="colours around"),
    pytest.param("\033[35m\033[K/vagrant\033[m\033[K/x", "\033[35m\033[K/home/me/it\033[m\033[K/x", id="grep's"),
    pytest.param("/vag\033[1;31m\033[Krant\033[m/x", "/home/me/it\033[1;31m\033[K\033[m/x", id="colours inside"),
    pytest.param("/srv/\033[1mmy app\033[m/x", "/local/my app\033[1m\033[m/x", id="colours inside the longer"),
    pytest.param("a\033[1m/vagrant", "a\033[1m/vagrant", id="in a word, behind a colour"),
    pytest.param("/vagrant\033[m2", "/vagrant\033[m2", id="another name, behind a colour"),
    pytest.param("\033(B\033[m/vagrant\033(B\033[m", "\033(B\033[m/home/me/it\033(B\033[m", id="as tput has it"),
    pytest.param("\033c/vagrant \0337/vagrant", "\033c/home/me/it \0337/home/me/it", id="short sequences"),
    pytest.param("x \033[2 q/vagrant", "x \033[2 q/home/me/it", id="a sequence with a space in it"),
    pytest.param("\033]0;vm:/vagrant\a", "\033]0;vm:/home/me/it\a", id="a window's title"),
    pytest.param(
        "\033]8;;file:///vagrant/x\033\\/vagrant/x\033]8;;\033\\",
        "\033]8;;file:///home/me/it/x\033\\/home/me/it/x\033]8;;\033\\",
        id="a link",
    ),
    pytest.param("/vagrant\033", "/home/me/it\033", id="a sequence that was cut off"),
    pytest.param("/vag\033[3", "/vag\033[3", id="a root and a sequence that were cut off"),
    pytest.param("\033[3\n/vagrant", "\033[3\n/home/me/it", id="what is no sequence"),
    pytest.param("\033[" + "1" * 40 + "m/vagrant", "\033[" + "1" * 40 + "m/vagrant", id="what is too long for one"),
    pytest.param("//\u00e9 /\033[1m\u00e9", "//\u00e9 /\033[1m\u00e9", id="slashes"),
    pytest.param("x" * TEXT_CHECK_SIZE + " /vagrant\n", "x" * TEXT_CHECK_SIZE + " /home/me/it\n", id="late"),
]  # fmt: skip


@pytest.mark.parametrize(("stream", "becomes"), STREAMS)
def test_a_stream_is_mapped_whole(stream: str, becomes: str) -> None:
    assert mapped(stream.encode()).decode() == becomes


@pytest.mark.parametrize(("stream", "becomes"), STREAMS)
def test_a_stream_is_mapped_a_byte_at_a_time(stream: str, becomes: str) -> None:
    assert mapped(*(bytes([byte]) for byte in stream.encode())).decode() == becomes


PIECES = [
    *(name.decode() for name in NAMES), "/srv/my", "/srv/my%20app", "/va", "grant", "/", "//", "/..", ".", "...", "-I",
    "-", "x", "2", "\u00e9", "\u2018", "\u300c", "\uac00", " ", ":", "'", "\n", "file:", "file://", "file://localhost",
    "%20", "\033", "\033[", "\033[1m", "\033[K", "\033[1;3", "m", "\033(B", "\033]8;;", "\033\\", "\a", "0",
]  # fmt: skip
TEXT = st.lists(st.sampled_from(PIECES), max_size=24).map("".join).map(str.encode)
PLACES = st.lists(st.integers(0, 200), max_size=8)


@given(TEXT, PLACES)
def test_any_split_gives_the_same_result(text: bytes, places: list[int]) -> None:
    assert mapped(*cut(text, places)) == mapped(text)


@given(TEXT | st.binary(), PLACES)
def test_a_text_without_a_root_is_not_changed(text: bytes, places: list[int]) -> None:
    visible = SEQUENCE.sub(b"", text).replace(b"%20", b" ")
    assume(not any(name in visible for name in NAMES))
    assert mapped(*cut(text, places)) == text


@given(st.binary().map(lambda data: data.replace(b"/", b"|")), PLACES)
def test_without_a_slash_nothing_is_held_back(data: bytes, places: list[int]) -> None:
    stream = OutputMapper(ROOTS)
    assert [stream.receive(piece) for piece in cut(data, places)] == cut(data, places)


URL = b"/srv/my%20app"
ENDS = [name[:end] for name in (*NAMES, URL) for end in range(1, len(name) + 1)]
SEQUENCE_ENDS = [b"", b"m", b"[m", b"B"]


@given(TEXT, st.sampled_from(ENDS), st.sampled_from([b"", b"\033", b"\033[1", b"\033[1m", b"\033(", b"."]))
def test_only_a_possible_beginning_of_a_root_is_held_back(text: bytes, end: bytes, more: bytes) -> None:
    stream = OutputMapper(ROOTS)
    shown = stream.receive(text + end + more)
    goes_on = [sequence + rest + b"/x" for sequence in SEQUENCE_ENDS for rest in [b"", b"\n", *_rests(end)]]
    become = [mapped(text + end + more + each)[len(shown) :] != stream.held + each for each in goes_on]
    assert any(become) is bool(stream.held)


def _rests(end: bytes) -> list[bytes]:
    return [name[len(end) :] for name in (*NAMES, URL) if name.startswith(end)]


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        pytest.param(b"user@vm:/vagrant$ ", b"user@vm:/home/me/it$ ", id="a prompt that names a root"),
        pytest.param(b"Password: ", b"Password: ", id="a prompt that names none"),
        pytest.param(b"in /vagrant\n", b"in /home/me/it\n", id="a line"),
        pytest.param(b"in /vagrant", b"in ", id="a root whose end is not told"),
        pytest.param(b"in /vagrant.", b"in ", id="a root and a dot"),
        pytest.param(b"in /vagrant/", b"in /home/me/it/", id="a root and a slash"),
        pytest.param(b"in /vagrant\033[m", b"in ", id="a root and a colour"),
        pytest.param(b"in /vagrant\033[m$", b"in /home/me/it\033[m$", id="a root and a colour and its end"),
        pytest.param(b"1/", b"1/", id="a slash in a word"),
        pytest.param(b"1 /", b"1 ", id="a slash that may start a path"),
        pytest.param(b"/srv/x", b"/l/x", id="below the shorter root"),
        pytest.param(b"/srv/my a", b"", id="below the longer root, perhaps"),
        pytest.param(b"a\033[3", b"a\033[3", id="half a colour"),
        pytest.param(b"a /v\033[3", b"a ", id="half a colour in what may be a root"),
        pytest.param(b"a \033[1m/v", b"a \033[1m", id="behind a colour"),
        pytest.param(b"file://", b"file://", id="what makes a URL"),
    ],
)
def test_only_what_may_be_a_root_is_held_back(data: bytes, shown: bytes) -> None:
    stream = OutputMapper(ROOTS)
    assert stream.receive(data) == shown
    assert bool(stream.held) is (mapped(data) != shown)
    assert stream.release() == mapped(data)[len(shown) :]
    assert not stream.held
    assert stream.release() == b""


def test_after_a_pause_a_root_may_continue_and_the_rest_of_a_name_is_kept() -> None:
    stream = OutputMapper(ROOTS)
    assert (stream.receive(b"/vagrant"), stream.release(), stream.receive(b"/x")) == (b"", b"/home/me/it", b"/x")
    assert (stream.receive(b" /vag"), stream.release(), stream.receive(b"rant/x")) == (b" ", b"/vag", b"rant/x")
    assert (stream.receive(b" /srv/my"), stream.release(), stream.receive(b" app/x")) == (b" ", b"/l/my", b" app/x")


def test_a_root_without_an_end_is_given_up() -> None:
    stream = OutputMapper(ROOTS)
    endless = b"/vag" + b"\033[1m" * (HELD_LIMIT // 4)
    assert stream.receive(endless[:HELD_LIMIT]) == b""
    assert stream.receive(endless[HELD_LIMIT:]) == endless
    assert stream.receive(b"rant /vagrant\n") == b"rant /home/me/it\n"


@pytest.mark.parametrize("sign", [b"\0", b"\xff", b"\xe9 ", b"\xc3("], ids=["NUL", "no UTF-8", "Latin-1", "half"])
def test_binary_output_is_left_alone_once_it_is_detected(sign: bytes) -> None:
    stream = OutputMapper(ROOTS)
    assert stream.receive(b"/vagrant /vagrant") == b"/home/me/it "
    assert stream.receive(b"/x " + sign + b" /vagrant ") == b"/vagrant/x " + sign + b" /vagrant "
    assert stream.receive(b"/vagrant ") == b"/vagrant "
    assert stream.release() == b""


def test_a_long_text_stays_text_with_one_odd_byte_but_not_with_nul() -> None:
    stream = OutputMapper(ROOTS)
    assert stream.receive(b"x" * TEXT_CHECK_SIZE + b"\xff/vagrant ") == b"x" * TEXT_CHECK_SIZE + b"\xff/vagrant "
    assert stream.receive(b"\xff /vagrant ") == b"\xff /home/me/it "
    assert stream.receive(b"\0 /vagrant ") == b"\0 /vagrant "


def test_a_character_may_be_split_at_the_end_of_the_examined_text() -> None:
    text = b"x" * (TEXT_CHECK_SIZE - 1) + "\xe9 /vagrant ".encode()
    assert mapped(text) == text.replace(b"/vagrant", b"/home/me/it")


@pytest.mark.parametrize("size", [10, 1000, 65536])
def test_random_bytes_are_unchanged(size: int) -> None:
    data = random.Random(size).randbytes(1 << 20)
    stream = OutputMapper(ROOTS)
    pieces = [data[start : start + size] for start in range(0, len(data), size)]
    assert b"".join([*map(stream.receive, pieces), stream.release()]) == data
