"""Tests for HTTP to and from the engine: every answer is read whole, a byte at a time, and with more data after it."""

from __future__ import annotations

import pytest

from rdo.drivers.docker.http import HEAD_LIMIT, BodyDecoder, HttpError, chunked, request, split_head

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nApi-Version: 1.41\r\n\r\n"
PIECES = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_END = b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n"

BODIES = [
    pytest.param(PLAIN, b"hello", b"hello", id="of a given length"),
    pytest.param(PIECES, b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", b"hello", id="in pieces"),
    pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", b"", b"", id="none"),
]


def parse(data: bytes, step: int) -> tuple[int, bytes]:
    """Status and body of an answer that arrives in steps."""
    received = b""
    body = None
    found = b""
    for start in range(0, len(data), step):
        piece = data[start : start + step]
        if body is None:
            received += piece
            split = split_head(received)
            if split is None:
                continue
            head, piece = split
            body = BodyDecoder(head)
        found += body.receive(piece)
    assert body is not None
    assert body.complete
    return head.status, found


@pytest.mark.parametrize("step", [1, 2, 7, 10_000])
@pytest.mark.parametrize(("head", "body", "expected"), BODIES)
def test_an_answer_is_read_however_it_is_split(head: bytes, body: bytes, expected: bytes, step: int) -> None:
    assert parse(head + body, step) == (int(head.split()[1]), expected)


def test_data_after_the_head_of_an_upgrade_is_kept() -> None:
    found = split_head(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n\x01\x00first")
    assert found is not None
    assert (found[0].status, found[1]) == (101, b"\x01\x00first")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    found = split_head(UNTIL_END + b"abc")
    assert found is not None
    body = BodyDecoder(found[0])
    assert body.receive(found[1]) == b"abc"
    assert not body.complete
    body.end()
    assert body.complete


def test_the_answer_to_head_has_no_body() -> None:
    found = split_head(PLAIN)
    assert found is not None
    body = BodyDecoder(found[0], absent=True)
    assert (body.receive(b""), body.complete) == (b"", True)


@pytest.mark.parametrize("head", [PLAIN, PIECES])
def test_a_truncated_body_is_an_error(head: bytes) -> None:
    found = split_head(head)
    assert found is not None
    body = BodyDecoder(found[0])
    body.receive(b"2\r\n")
    with pytest.raises(HttpError):
        body.end()


@pytest.mark.parametrize("data", [b"SSH-2.0-OpenSSH\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 OK\r\n\r\n", b"\r\n\r\n"])
def test_what_is_not_http_is_an_error(data: bytes) -> None:
    with pytest.raises(HttpError):
        split_head(data)


def test_an_endless_head_and_a_chunk_without_size_are_errors() -> None:
    with pytest.raises(HttpError):
        split_head(b"x" * (HEAD_LIMIT + 1))
    found = split_head(PIECES)
    assert found is not None
    with pytest.raises(HttpError):
        BodyDecoder(found[0]).receive(b"zz\r\n")


@pytest.mark.parametrize(
    ("head", "kept"),
    [(PLAIN, True), (PIECES, True), (UNTIL_END, False), (PLAIN[:-2] + b"Connection: close\r\n\r\n", False)],
)
def test_a_connection_is_kept_only_if_the_end_of_the_answer_is_known(head: bytes, kept: bool) -> None:
    found = split_head(head)
    assert found is not None
    assert found[0].keeps_alive is kept


def test_a_request_says_how_long_its_body_is() -> None:
    assert request("GET", "/_ping", None, {}) == b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n"
    assert request("POST", "/x", {"a": 1}, {"Upgrade": "tcp"}) == (
        b"POST /x HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\nContent-Type: application/json\r\n"
        b'Content-Length: 8\r\n\r\n{"a": 1}'
    )
    assert request("PUT", "/x", b"tar", {"Content-Type": "application/x-tar"}).endswith(b"Content-Length: 3\r\n\r\ntar")
    assert b"Content-Length: 0\r\n" in request("POST", "/x", None, {})


def test_a_chunked_body_has_the_size_of_each_chunk_and_an_end() -> None:
    sent = b"".join(chunked([b"abc", b"", b"x" * 20]))
    assert sent == b"3\r\nabc\r\n14\r\n" + b"x" * 20 + b"\r\n0\r\n\r\n"
    assert b"Content-Length" not in request("POST", "/build", None, {"Transfer-Encoding": "chunked"})


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    ],
)
def test_a_body_whose_end_is_unknown_is_an_error(head: bytes) -> None:
    found = split_head(head)
    assert found is not None
    with pytest.raises(HttpError):
        BodyDecoder(found[0])


@pytest.mark.parametrize("data", [b"1\r\nab\r\n", b"+1\r\na\r\n", b"1_0\r\n", b"123456789\r\n", b"0" * 1024])
def test_a_chunk_with_the_wrong_size_is_an_error(data: bytes) -> None:
    found = split_head(PIECES)
    assert found is not None
    with pytest.raises(HttpError):
        BodyDecoder(found[0]).receive(data)


def test_trailers_are_skipped() -> None:
    found = split_head(PIECES)
    assert found is not None
    body = BodyDecoder(found[0])
    assert body.receive(b"1\na\n0\r\nX-Sum: 1\r\n\r\nmore") == b"a"
    assert body.complete


def test_a_connection_of_an_old_version_is_not_kept() -> None:
    found = split_head(b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n")
    assert found is not None
    assert not found[0].keeps_alive
