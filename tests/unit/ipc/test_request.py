"""Tests for the request of a command: all values survive encoding, and a malformed request is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.ipc.protocol import VERSION, ProtocolError
from rdo.ipc.request import FLAGS, Request, decode_request, encode_request, version

FIELD = st.binary().map(lambda data: data.replace(b"\0", b""))
FIELDS = st.lists(FIELD)
TEXTS = (
    "version", "place", "config", "profile", "stamp", "root", "pwd", "cwd", "flags", "shell_options",
    "remote_directory", "user", "term", "modes",
)  # fmt: skip
PIXELS = st.integers(0, 65535)


def values(request: Request) -> dict[str, object]:
    return {name: getattr(request, name) for name in Request.__slots__}


@st.composite
def requests(draw: st.DrawFn) -> Request:
    request = Request()
    for name in TEXTS:
        setattr(request, name, draw(FIELD))
    request.window = (draw(PIXELS), draw(PIXELS), draw(PIXELS), draw(PIXELS))
    request.arguments = draw(FIELDS)
    request.variables = draw(FIELDS)
    request.forwards = draw(FIELDS)
    request.environ = draw(FIELDS)
    return request


def example() -> Request:
    request = Request()
    for name in TEXTS:
        setattr(request, name, name.encode())
    request.flags = b"".join(FLAGS.values())
    request.version = VERSION
    request.window = (24, 80, 0, 0)
    request.arguments = [b"make", b""]
    request.variables = [b"A=b"]
    request.forwards = [b"L8000"]
    request.environ = [b"HOME=/root", b"X=\xff\n"]
    return request


WIRE = (
    b"9\0place\0config\0profile\0stamp\0root\0pwd\0cwd\0csmoOpvgnxyak\0"
    b"shell_options\0remote_directory\0user\0term\0modes\0"
    b"24 80 0 0\0" + b"2\0make\0\0" + b"1\0A=b\0" + b"1\0L8000\0" + b"HOME=/root\0X=\xff\n"
)


def test_a_request_is_encoded_as_in_the_protocol() -> None:
    assert encode_request(example()) == WIRE


@pytest.mark.parametrize("name", FLAGS)
def test_each_flag_has_its_own_letter(name: str) -> None:
    request = decode_request(WIRE.replace(b"csmoOpvgnxyak", b"?" + FLAGS[name]))
    assert [each for each in FLAGS if getattr(request, each)] == [name]


def test_a_request_is_decoded_as_in_the_protocol() -> None:
    assert values(decode_request(WIRE)) == values(example())


@given(requests())
def test_any_request_survives_encoding_and_decoding(request: Request) -> None:
    assert values(decode_request(encode_request(request))) == values(request)


@given(requests())
def test_the_version_can_be_read_alone(request: Request) -> None:
    assert version(encode_request(request)) == (request.version, request.place)


@given(st.binary())
def test_the_version_of_any_payload_is_what_precedes_the_first_nul(payload: bytes) -> None:
    assert version(payload) == tuple([*payload.split(b"\0"), b""][:2])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"24 80 0 0", b"24 80 0", id="three numbers for a window"),
        pytest.param(b"24 80 0 0", b"24 80 0 0 0", id="five numbers for a window"),
        pytest.param(b"24 80 0 0", b"24 80 0 x", id="no number for a window"),
        pytest.param(b"2\0make", b"\0make", id="no number of arguments"),
        pytest.param(b"2\0make", b"9\0make", id="fewer arguments than said"),
        pytest.param(b"2\0make", b"9" * 5000 + b"\0make", id="a number that is too long"),
        pytest.param(b"1\0A=b", b"1e9\0A=b", id="no number of variables"),
        pytest.param(b"1\0A=b", b"99999999999999999999\0A=b", id="fewer variables than said"),
    ],
)
def test_a_malformed_request_is_refused(old: bytes, new: bytes) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_request(WIRE.replace(old, new, 1))
    assert str(caught.value) == "malformed request"


@pytest.mark.parametrize("fields", range(16))
def test_a_request_that_was_cut_off_is_refused(fields: int) -> None:
    with pytest.raises(ProtocolError, match="malformed request"):
        decode_request(b"\0".join(WIRE.split(b"\0")[:fields]))


def check_decoded_or_refused(payload: bytes) -> None:
    try:
        request = decode_request(payload)
    except ProtocolError:
        return
    assert set(values(request)) == set(Request.__slots__)


@given(st.binary() | st.lists(FIELD | st.integers().map(b"%d".__mod__)).map(b"\0".join))
def test_any_payload_is_decoded_or_refused(payload: bytes) -> None:
    check_decoded_or_refused(payload)


@given(st.integers(0, len(WIRE)), st.integers(0, 20), st.binary(max_size=20))
def test_a_damaged_request_is_decoded_or_refused(start: int, length: int, instead: bytes) -> None:
    check_decoded_or_refused(WIRE[:start] + instead + WIRE[start + length :])
