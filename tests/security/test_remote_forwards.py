"""Tests for a hostile server that was requested to listen for this machine: it reaches only what was named."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from paramiko import common
from paramiko.message import Message

from rdo.config.forwards import Endpoint
from rdo.drivers.ssh import remote_listener
from rdo.drivers.target_stream import IncomingStream
from rdo.errors import LinkLost, SetupError, printable
from tests.integration.conftest import Connect
from tests.leaks import wait_until
from tests.odd_server import OddServer, Talk, text, uint32
from tests.ssh_client import ScriptedCaller

TIMEOUT = 20.0

GLOBAL_REQUEST, SUCCESS, FAILURE = common.MSG_GLOBAL_REQUEST, common.MSG_REQUEST_SUCCESS, common.MSG_REQUEST_FAILURE

PORT = 4000


def forwarded(host: bytes, port: int) -> bytes:
    return text(b"forwarded-tcpip") + uint32(7, 1 << 20, 1 << 15) + text(host) + uint32(port) + text(b"::1") + uint32(9)


def with_requests(answer: Callable[[Talk], object]) -> dict[int, Callable[[Talk, Message], object]]:
    """Handles requests to listen in that way, and keepalives normally."""

    def act(talk: Talk, message: Message) -> object:
        if message.get_string().endswith(b"tcpip-forward"):
            return answer(talk)
        return talk.say(FAILURE)

    return {GLOBAL_REQUEST: act}


@pytest.mark.parametrize(
    ("answer", "at", "expected"),
    [
        pytest.param(lambda talk: talk.say(FAILURE), PORT, "it is in use there, or the server forbids it", id="no"),
        pytest.param(lambda talk: talk.say(common.MSG_UNIMPLEMENTED, uint32(5)), PORT, "in use there", id="what?"),
        pytest.param(lambda talk: talk.close(), PORT, "the server closed the connection|lost", id="hangs up"),
        pytest.param(lambda talk: None, PORT, "no answer within", id="says nothing"),
        pytest.param(lambda talk: talk.say(SUCCESS), 0, "truncated", id="without a port"),
        pytest.param(lambda talk: talk.say(SUCCESS, uint32(1 << 20)), 0, "port that does not exist", id="no such port"),
        pytest.param(
            lambda talk: (talk.say(common.MSG_DEBUG, b"\0" + text(b"\x1b[2Jno") + text(b"")), talk.say(FAILURE)),
            PORT, "it says `.x1b.2Jno`", id="with words",
        ),
    ],
)  # fmt: skip
def test_a_refusal_of_any_kind_is_one_line(
    tmp_path: Path,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    answer: Callable[[Talk], object],
    at: int,
    expected: str,
) -> None:
    monkeypatch.setattr(remote_listener, "ANSWER_TIMEOUT", 1.0)
    with OddServer(tmp_path, None, with_requests(answer)) as server:
        connection = connect(server.ssh_config, caller=ScriptedCaller())
        with pytest.raises((SetupError, LinkLost)) as caught:
            connection.listen(Endpoint(port=at), lambda stream: None)
    assert re.search(expected, printable(str(caught.value)))
    assert "\n" not in str(caught.value)


def test_only_connections_for_requested_listeners_are_accepted(tmp_path: Path, connect: Connect) -> None:
    refused: list[bytes] = []
    taken: list[IncomingStream] = []

    def listen(talk: Talk) -> None:
        talk.say(SUCCESS)
        for host, port in ((b"localhost", PORT + 1), (b"localhost", 22), (b"", 0)):
            talk.say(common.MSG_CHANNEL_OPEN, forwarded(host, port))
        talk.say(common.MSG_CHANNEL_OPEN, forwarded(b"127.0.0.1", PORT))

    answers = with_requests(listen)
    answers[common.MSG_CHANNEL_OPEN_FAILURE] = lambda talk, message: refused.append(message.asbytes())
    answers[common.MSG_CHANNEL_OPEN_SUCCESS] = lambda talk, message: None
    with OddServer(tmp_path, None, answers) as server:
        connection = connect(server.ssh_config, caller=ScriptedCaller())
        connection.listen(Endpoint("127.0.0.1", PORT), taken.append)
        assert wait_until(lambda: (len(refused), len(taken)) == (3, 1), TIMEOUT)


def test_the_number_of_connections_is_limited(
    tmp_path: Path, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_listener, "STREAM_LIMIT", 10)
    refused: list[bytes] = []
    taken: list[IncomingStream] = []

    def listen(talk: Talk) -> None:
        talk.say(SUCCESS)
        talk.flood(common.MSG_CHANNEL_OPEN, forwarded(b"127.0.0.1", PORT), 100)

    answers = with_requests(listen)
    answers[common.MSG_CHANNEL_OPEN_FAILURE] = lambda talk, message: refused.append(message.asbytes())
    answers[common.MSG_CHANNEL_OPEN_SUCCESS] = lambda talk, message: None
    with OddServer(tmp_path, None, answers) as server:
        connection = connect(server.ssh_config, caller=ScriptedCaller())
        connection.listen(Endpoint("127.0.0.1", PORT), taken.append)
        assert wait_until(lambda: len(refused) == 90, TIMEOUT)
        assert len(taken) == 10
