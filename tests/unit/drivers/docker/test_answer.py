"""Tests for the engine's answers, read with a check of every type, and for its messages on one line."""

from __future__ import annotations

import pytest

from rdo.drivers.docker import answer
from rdo.drivers.docker.answer import MESSAGE_LIMIT, EngineAnswer
from rdo.errors import ConnectError


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b'"\xe4"', "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b"9" * 5000, "it is not JSON"),
        (b"null", "it is not an object"),
        (b"[]", "it is not an object"),
    ],
)
def test_what_is_not_an_object_is_an_error(data: bytes, why: str) -> None:
    with pytest.raises(ConnectError) as caught:
        answer.decode(data, "GET /x").text("Id")
    words = f"invalid answer from the Docker engine to `GET /x`: {why}; see whether `docker version` works"
    assert str(caught.value) == words


def test_what_is_not_an_object_has_no_names() -> None:
    with pytest.raises(ConnectError, match="it is not an object"):
        EngineAnswer([], "GET /x").names()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'{"message": "no such\\n  image"}', "no such image"),
        (b'{"message": 7}', '{"message": 7}'),
        (b"[]", "[]"),
        (b"<p>\n Bad Gateway \xe4", "<p> Bad Gateway \ufffd"),
        (b"", ""),
        (b"[" * 100_000, "[" * MESSAGE_LIMIT + "..."),
    ],
)
def test_the_engines_message_is_one_line(data: bytes, words: str) -> None:
    assert answer.message(data) == words
