"""Tests for messages about remote forwards, against RFC 4254, section 7, and OpenSSH's PROTOCOL."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest

from rdo.config.forwards import Endpoint
from rdo.drivers.ssh import forward_messages
from rdo.drivers.ssh.fields import Violation
from tests.unit.drivers.ssh.test_messages import text, uint32


@pytest.mark.parametrize(
    ("at", "details"),
    [
        (Endpoint(port=4000), text(b"localhost") + uint32(4000)),
        (Endpoint("127.0.0.1", 0), text(b"127.0.0.1") + uint32(0)),
        (Endpoint("*", 80), text(b"") + uint32(80)),
    ],
)
def test_a_port_is_requested_and_cancelled(at: Endpoint, details: bytes) -> None:
    assert forward_messages.listen(at).asbytes() == b"\x50" + text(b"tcpip-forward") + b"\1" + details
    assert forward_messages.stop_listening(at).asbytes() == b"\x50" + text(b"cancel-tcpip-forward") + b"\1" + details


def test_a_socket_is_requested_and_cancelled() -> None:
    at = Endpoint(path="/s\udcff")
    kind = b"streamlocal-forward@openssh.com"
    assert forward_messages.listen(at).asbytes() == b"\x50" + text(kind) + b"\1" + text(b"/s\xff")
    assert forward_messages.stop_listening(at).asbytes() == b"\x50" + text(b"cancel-" + kind) + b"\1" + text(b"/s\xff")


def test_messages_of_the_server_are_decoded() -> None:
    assert forward_messages.chosen_port(uint32(4000)) == 4000
    details = text(b"localhost") + uint32(4000) + text(b"127.0.0.1") + uint32(50000)
    assert forward_messages.port_of_stream(details) == ("localhost", 4000)
    assert forward_messages.path_of_stream(text(b"/s\xff") + text(b"")) == "/s\udcff"


@pytest.mark.parametrize("port", [0, 65536, 2**32 - 1])
def test_a_port_that_does_not_exist_ends_the_connection(port: int) -> None:
    with pytest.raises(Violation):
        forward_messages.chosen_port(uint32(port))


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (forward_messages.chosen_port, uint32(4000)),
        (forward_messages.port_of_stream, text(b"localhost") + uint32(4000)),
        (forward_messages.path_of_stream, text(b"/s")),
    ],
)
def test_a_truncated_message_is_a_violation(read: Callable[[bytes], object], body: bytes) -> None:
    for size in range(len(body)):
        with contextlib.suppress(Violation):
            read(body[:size])
            pytest.fail(f"{size} bytes were read as a whole")
