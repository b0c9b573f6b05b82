"""Tests for the requests of SOCKS clients, whole and a byte at a time, and for the replies: RFC 1928, and versions 4
and 4a.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.config.forwards import Endpoint
from rdo.forward.socks import SocksError, SocksRequest

PORT = (8080).to_bytes(2, "big")
HELLO_5 = b"\5\1\0"
METHOD_5 = b"\5\0"


def reply_5(code: int) -> bytes:
    return bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])


GRANTED_4 = b"\0\x5a" + bytes(6)
REFUSED_4 = b"\0\x5b" + bytes(6)

REQUESTS = [
    pytest.param(b"\4\1" + PORT + b"\x7f\0\0\1me\0", "127.0.0.1", b"", GRANTED_4, id="4"),
    pytest.param(b"\4\1" + PORT + b"\0\0\0\1\0db\0", "db", b"", GRANTED_4, id="4a"),
    pytest.param(HELLO_5 + b"\5\1\0\1\x0a\0\0\1" + PORT, "10.0.0.1", METHOD_5, reply_5(0), id="5, IPv4"),
    pytest.param(HELLO_5 + b"\5\1\0\3\2db" + PORT, "db", METHOD_5, reply_5(0), id="5, a name"),
    pytest.param(HELLO_5 + b"\5\1\0\4" + bytes(15) + b"\1" + PORT, "::1", METHOD_5, reply_5(0), id="5, IPv6"),
    pytest.param(b"\5\3\2\1\0\5\1\0\3\2db" + PORT, "db", METHOD_5, reply_5(0), id="5, one method of several"),
]


@pytest.mark.parametrize(("said", "host", "answer", "granted"), REQUESTS)
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_request_is_parsed_however_it_is_split(
    said: bytes, host: str, answer: bytes, granted: bytes, size: int
) -> None:
    request = SocksRequest()
    said += b"data"
    pieces = [said[start : start + size] for start in range(0, len(said), size)]
    answers = b""
    while request.destination is None:
        answers += request.receive(pieces.pop(0))
    assert (request.destination, answers, request.granted) == (Endpoint(host, 8080), answer, granted)
    assert request.rest + b"".join(pieces) == b"data"


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        pytest.param(b"GET / HTTP/1.1\r\n", b"", id="no SOCKS"),
        pytest.param(b"\5\1\2", b"\5\xff", id="with a password only"),
        pytest.param(b"\5\0", b"\5\xff", id="no method"),
        pytest.param(HELLO_5 + b"\4\1\0\1", b"", id="another version"),
        pytest.param(HELLO_5 + b"\5\2\0\1\x0a\0\0\1" + PORT, reply_5(7), id="5, BIND"),
        pytest.param(b"\4\2" + PORT + b"\x7f\0\0\1\0", REFUSED_4, id="4, BIND"),
        pytest.param(HELLO_5 + b"\5\1\0\2", reply_5(8), id="an unknown kind of address"),
        pytest.param(HELLO_5 + b"\5\1\0\3\0" + PORT, reply_5(4), id="no name"),
        pytest.param(HELLO_5 + b"\5\1\0\3\2db\0\0", reply_5(4), id="port 0"),
        pytest.param(HELLO_5 + b"\5\1\0\3\3-oX" + PORT, reply_5(4), id="a name like an option"),
        pytest.param(HELLO_5 + b"\5\1\0\3\3a\0b" + PORT, reply_5(4), id="a name with a NUL"),
        pytest.param(b"\4\1" + PORT + b"\0\0\0\1\0a b\0", REFUSED_4, id="4a, a name with a blank"),
        pytest.param(b"\4\1" + PORT + b"\x7f\0\0\1" + b"x" * 2000, b"", id="a request without end"),
    ],
)
def test_what_cannot_be_served_is_refused(said: bytes, answer: bytes) -> None:
    with pytest.raises(SocksError) as caught:
        SocksRequest().receive(said)
    assert caught.value.answer == answer


@pytest.mark.parametrize(
    ("why", "code"),
    [("Connection refused", 5), ("the SSH server forbids it", 2), ("Network is unreachable", 4),
     ("Name resolution failed", 4), ("something else", 1)],
)  # fmt: skip
def test_the_reason_for_a_failure_is_sent_as_far_as_socks_can(why: str, code: int) -> None:
    request = SocksRequest()
    request.receive(HELLO_5 + b"\5\1\0\3\2db" + PORT)
    assert request.refused(why) == reply_5(code)
    request = SocksRequest()
    request.receive(b"\4\1" + PORT + b"\x7f\0\0\1\0")
    assert request.refused(why) == REFUSED_4


@given(st.binary(max_size=60), st.sampled_from([b"", b"\4", b"\5", HELLO_5, b"\4\1"]))
def test_any_request_gives_a_destination_or_a_refusal_or_needs_more_data(said: bytes, start: bytes) -> None:
    request = SocksRequest()
    try:
        request.receive(start + said + b"x")
    except SocksError:
        assert request.destination is None
