"""Tests for replacing URLs of the target's ports in output by URLs of the local ports, however the output is split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.paths.local_urls import PortMatcher, named_ports
from rdo.paths.output_mapper import OutputMapper

HERE = {3000: 3001, 80: 8080, 5173: 5173}

TEXTS = [
    pytest.param("http://localhost:3000/", "http://localhost:3001/", id="a URL"),
    pytest.param("http://localhost:3000", "http://localhost:3001", id="at the end"),
    pytest.param("at http://127.0.0.1:80/x?y=1.", "at http://127.0.0.1:8080/x?y=1.", id="an address"),
    pytest.param("https://[::1]:3000 http://[::]:80", "https://[::1]:3001 http://[::]:8080", id="IPv6"),
    pytest.param("ws://0.0.0.0:3000,", "ws://0.0.0.0:3001,", id="all addresses"),
    pytest.param("http://localhost:5173/", "http://localhost:5173/", id="a port that did not move"),
    pytest.param("http://localhost:30000/", "http://localhost:30000/", id="a longer number"),
    pytest.param("http://localhost:300/", "http://localhost:300/", id="a shorter number"),
    pytest.param("http://localhost:999999/", "http://localhost:999999/", id="no port"),
    pytest.param("http://example.com:3000/", "http://example.com:3000/", id="another host"),
    pytest.param("http://notlocalhost:3000/", "http://notlocalhost:3000/", id="the end of another host"),
    pytest.param("localhost:3000", "localhost:3000", id="no URL"),
    pytest.param(
        "http://localhost:\033[1m3000\033[22m/", "http://localhost:\033[1m3001\033[22m/", id="a number in bold"
    ),
    pytest.param(
        "\033[36mhttp://localhost:\033[1m80\033[22m/\033[39m",
        "\033[36mhttp://localhost:\033[1m8080\033[22m/\033[39m",
        id="as Vite has it",
    ),
    pytest.param("\033]8;;http://localhost:80\033\\x", "\033]8;;http://localhost:8080\033\\x", id="a link"),
    pytest.param("http://localhost:3000 http://localhost:3000", "http://localhost:3001 http://localhost:3001", id="2"),
]


def local(port: int) -> int:
    return HERE.get(port, port)


def mapped(*pieces: bytes) -> bytes:
    stream = OutputMapper(PortMatcher(local))
    return b"".join([*map(stream.receive, pieces), stream.release()])


@pytest.mark.parametrize(("text", "becomes"), TEXTS)
def test_a_url_gets_the_local_port(text: str, becomes: str) -> None:
    assert mapped(text.encode()).decode() == becomes


@pytest.mark.parametrize(("text", "becomes"), TEXTS)
def test_a_split_anywhere_changes_nothing(text: str, becomes: str) -> None:
    data = text.encode()
    for at in range(len(data)):
        assert mapped(data[:at], data[at:]).decode() == becomes
    assert mapped(*(data[at : at + 1] for at in range(len(data)))).decode() == becomes


@given(st.text(alphabet="htp:/localhost127.0[]38 \n", max_size=60), st.integers(0, 60))
def test_a_split_changes_nothing_in_any_text(text: str, at: int) -> None:
    data = f"http://localhost:{text}".encode()
    assert mapped(data[:at], data[at:]) == mapped(data)


@pytest.mark.parametrize("shown", [b"http://localhost:", b"http://loc", b"http:/", b"x3000", b"\n3000", b"h"])
def test_only_a_number_that_may_continue_is_held_back(shown: bytes) -> None:
    stream = OutputMapper(PortMatcher(local))
    assert stream.receive(shown) == shown
    assert stream.held == b""


def test_a_number_that_may_continue_is_held_back() -> None:
    stream = OutputMapper(PortMatcher(local))
    assert stream.receive(b"http://localhost:3000") == b"http://localhost:"
    assert stream.held == b"3000"
    assert stream.receive(b"/") == b"3001/"


def test_text_that_was_shown_after_a_pause_is_not_the_start_of_a_number() -> None:
    stream = OutputMapper(PortMatcher(local))
    assert stream.receive(b"http://localhost:300") + stream.release() == b"http://localhost:300"
    assert stream.receive(b"0/") == b"0/"


@pytest.mark.parametrize(
    ("output", "ports"),
    [
        (b"up at http://localhost:3000/ and https://[::1]:8443", {3000, 8443}),
        (b"http://localhost:\033[1m3000\033[22m/", {3000}),
        (memoryview(b"ws://0.0.0.0:80"), {80}),
        (b"http://example.com:3000 localhost:3000 http://localhost/", set()),
    ],
)
def test_the_ports_of_an_output_are_found(output: bytes | memoryview, ports: set[int]) -> None:
    assert named_ports(output) == ports
