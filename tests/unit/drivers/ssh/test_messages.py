"""Tests for channel messages, against the text of RFC 4254; messages of the server may be truncated anywhere."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.drivers.base import Pty, WindowSize
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.fields import Violation


def text(value: bytes) -> bytes:
    return len(value).to_bytes(4, "big") + value


def uint32(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (messages.open_channel("session", 7, 100, 50), b"\x5a" + text(b"session") + uint32(7, 100, 50)),
        (messages.keepalive(), b"\x50" + text(b"keepalive@openssh.com") + b"\1"),
        (messages.window_adjust(7, 9), b"\x5d" + uint32(7, 9)),
        (messages.end_of_input(7), b"\x60" + uint32(7)),
        (messages.close(7), b"\x61" + uint32(7)),
        (messages.confirm(1, 2, 3, 4), b"\x5b" + uint32(1, 2, 3, 4)),
        (messages.refuse(7), b"\x5c" + uint32(7, 1) + text(b"") * 2),
        (messages.refuse_request(), b"\x52"),
        (messages.unimplemented(9), b"\3" + uint32(9)),
        (
            messages.open_channel("direct-tcpip", 7, 100, 50, messages.stream_to("h", 22)),
            b"\x5a"
            + text(b"direct-tcpip")
            + uint32(7, 100, 50)
            + text(b"h")
            + uint32(22)
            + text(b"127.0.0.1")
            + uint32(0),
        ),
        (
            messages.open_channel("direct-streamlocal@openssh.com", 7, 100, 50, messages.stream_to_socket("/s")),
            b"\x5a"
            + text(b"direct-streamlocal@openssh.com")
            + uint32(7, 100, 50)
            + text(b"/s")
            + text(b"")
            + uint32(0),
        ),
        (messages.failure(7), b"\x64" + uint32(7)),
        (messages.execute(7, "ls \udcff"), b"\x62" + uint32(7) + text(b"exec") + b"\1" + text(b"ls \xff")),
        (messages.forward_agent(7), b"\x62" + uint32(7) + text(b"auth-agent-req@openssh.com") + b"\0"),
        (
            messages.set_variable(7, "A", "\udcff"),
            b"\x62" + uint32(7) + text(b"env") + b"\0" + text(b"A") + text(b"\xff"),
        ),
        (messages.end_of_write(7), b"\x62" + uint32(7) + text(b"eow@openssh.com") + b"\0"),
        (messages.hang_up(7), b"\x62" + uint32(7) + text(b"signal") + b"\0" + text(b"HUP")),
        (
            messages.make_pty(7, Pty("xterm", WindowSize(24, 80, 1, 2))),
            b"\x62" + uint32(7) + text(b"pty-req") + b"\1" + text(b"xterm") + uint32(80, 24, 1, 2) + text(b""),
        ),
        (
            messages.change_window(7, WindowSize(24, 80, 1, 2)),
            b"\x62" + uint32(7) + text(b"window-change") + b"\0" + uint32(80, 24, 1, 2),
        ),
    ],
)
def test_messages_to_the_server_are_what_the_rfc_says(message: messages.EncodedMessage, expected: bytes) -> None:
    assert message.asbytes() == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (text(b"exit-status") + b"\0" + uint32(3), (3, False)),
        (text(b"exit-status") + b"\0" + uint32(256 + 3), (259, False)),
        (text(b"exit-signal") + b"\0" + text(b"TERM") + b"\0" + text(b"") + text(b""), (143, False)),
        (text(b"exit-signal") + b"\0" + text(b"WHAT@example.com") + b"\0" + text(b"") + text(b""), (128, False)),
        (text(b"exit-signal") + b"\0" + text(b"\xff") + b"\0" + text(b"") + text(b""), (128, False)),
        (text(b"keepalive@openssh.com") + b"\1", (None, True)),
        (text(b"") + b"\0", (None, False)),
    ],
)
def test_a_request_has_the_status_and_whether_a_reply_is_wanted(body: bytes, expected: tuple[int | None, bool]) -> None:
    assert messages.request(body) == expected


def test_the_server_confirms_and_refuses_a_channel() -> None:
    assert messages.confirmation(uint32(4, 2**21, 2**15)) == (4, 2**21, 2**15)
    assert messages.refusal(uint32(1) + text(b"no \xff") + text(b"en")) == (1, "no \\xff")
    assert messages.refusal(uint32(2) + text(b"")) == (2, "Connect failed")
    assert messages.refusal(uint32(99) + text(b"")) == (99, "")


def test_the_server_asks_for_a_channel() -> None:
    assert messages.opening(text(b"x11") + uint32(4, 5, 6) + b"more") == (b"x11", (4, 5, 6), b"more")


def test_debug_messages_are_cut_to_a_line() -> None:
    assert messages.debug_text(b"\1" + text(b"forwarding is off") + text(b"")) == "forwarding is off"
    assert len(messages.debug_text(b"\0" + text(b"x" * 5000) + text(b""))) == 203


def test_a_packet_size_of_zero_is_a_violation() -> None:
    with pytest.raises(Violation, match="messages of 0 bytes"):
        messages.confirmation(uint32(4, 5, 0))


def test_a_global_request_says_whether_it_wants_an_answer() -> None:
    assert messages.global_request(text(b"what") + b"\1")
    assert not messages.global_request(text(b"what") + b"\0")


def test_a_disconnection_has_a_message_or_a_code() -> None:
    assert messages.disconnection(uint32(2) + text(b"g\xfct") + text(b"")) == "g\\xfct"
    assert messages.disconnection(uint32(2) + text(b"")) == "the server disconnected with code 2"


def test_extensions_are_counted_before_they_are_read() -> None:
    assert messages.extensions(uint32(1) + text(b"name") + text(b"\xff")) == {"name": b"\xff"}
    with pytest.raises(Violation, match="announced 4294967295 extensions"):
        messages.extensions(uint32(2**32 - 1))


def test_output_of_another_stream_comes_with_its_code() -> None:
    assert messages.extended_data(uint32(1) + text(b"oops")) == (1, b"oops")


READERS = (
    messages.confirmation,
    messages.refusal,
    messages.number,
    messages.extended_data,
    messages.request,
    messages.opening,
    messages.global_request,
    messages.disconnection,
    messages.debug_text,
    messages.extensions,
)


@given(st.binary(max_size=60), st.sampled_from(READERS))
def test_a_truncated_message_is_detected(body: bytes, read: Callable[[bytes], object]) -> None:
    with contextlib.suppress(Violation):
        read(body)
