"""Tests for the state table of a channel, and for what it sends and reports in each state."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import pytest
from paramiko import common

from rdo.drivers.base import ChannelOptions, Pty, PtyRefused, WindowSize
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel_state import (
    SILENT,
    TAKES_INPUT,
    TRANSITIONS,
    UNANSWERED,
    USABLE,
    ChannelEvent,
    ChannelState,
)
from rdo.drivers.ssh.channel_table import ChannelTable
from rdo.drivers.ssh.connection import SessionChannel
from rdo.drivers.ssh.fields import Violation, text, uint32
from rdo.drivers.ssh.packet_content import OutgoingData, Sendable
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost

FINAL = {state for state, events in TRANSITIONS.items() if not events}
OPENED = uint32(7, 100, 32)
SIZE = WindowSize(24, 80)


class Transport:
    """A transport that records what is sent, as its own outbox."""

    disconnect_reason = ""

    def is_openssh(self) -> bool:
        return True

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.open_channels = ChannelTable()
        self.outbox = self

    def send(self, message: Sendable | OutgoingData, unless: Callable[[], bool] = lambda: False) -> None:
        if unless():
            return
        pieces = message.pieces() if isinstance(message, OutgoingData) else [(message.asbytes(), b"")]
        self.sent += [head + content for head, content in pieces]

    def kinds(self) -> list[int]:
        return [message[0] for message in self.sent]

    def defer(self, act: Callable[[], None]) -> None:
        act()


class Case:
    """A channel that was requested, and what happened to it."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.ends = 0
        self.channel = SessionChannel(cast(SshTransport, self.transport), "devbox", self.end)

    def end(self) -> None:
        self.ends += 1

    def receive(self, kind: int, body: bytes = b"") -> None:
        self.channel.receive(kind, body)


@pytest.fixture
def asked() -> Case:
    return Case()


@pytest.fixture
def opened(asked: Case) -> Case:
    asked.receive(common.MSG_CHANNEL_OPEN_SUCCESS, OPENED)
    return asked


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    reached = {ChannelState.OPENING} | {state for events in TRANSITIONS.values() for state in events.values()}
    assert set(TRANSITIONS) == set(ChannelState) == reached


@pytest.mark.parametrize("state", ChannelState)
def test_a_channel_ends_by_a_close_from_the_server_or_with_the_connection(state: ChannelState) -> None:
    ends = {event for event, after in TRANSITIONS[state].items() if after in FINAL}
    assert ends <= {ChannelEvent.CLOSED, ChannelEvent.REFUSED, ChannelEvent.LOST}
    assert (ChannelEvent.LOST in TRANSITIONS[state]) == (state not in FINAL)


@pytest.mark.parametrize("state", [state for state in ChannelState if state in (*USABLE, *UNANSWERED, *TAKES_INPUT)])
def test_a_closed_channel_is_not_usable_again(state: ChannelState) -> None:
    assert state not in {*FINAL, *SILENT}
    for after in set(SILENT) - FINAL:
        assert not set(TRANSITIONS[after].values()) & set(USABLE)


def test_a_channel_given_up_early_is_closed_as_soon_as_it_opens(asked: Case) -> None:
    asked.channel.close()
    assert not asked.transport.sent
    asked.receive(common.MSG_CHANNEL_OPEN_SUCCESS, OPENED)
    assert asked.transport.sent == [messages.close(7).payload]
    assert not asked.ends
    asked.receive(common.MSG_CHANNEL_CLOSE)
    assert (asked.transport.kinds(), asked.ends) == ([common.MSG_CHANNEL_CLOSE], 1)


@pytest.mark.parametrize("first", ["ours", "theirs"])
def test_each_side_closes_once_and_nothing_follows(opened: Case, first: str) -> None:
    if first == "ours":
        opened.channel.close()
    opened.receive(common.MSG_CHANNEL_CLOSE)
    opened.channel.close()
    opened.channel.end_input()
    opened.channel.write(b"late")
    opened.channel.resize(SIZE)
    opened.channel.lose()
    assert (opened.transport.kinds(), opened.ends) == ([common.MSG_CHANNEL_CLOSE], 1)


def test_input_ends_once_and_nothing_is_written_after_it(opened: Case) -> None:
    opened.channel.write(b"early")
    opened.channel.end_input()
    opened.channel.end_input()
    assert not opened.channel.try_write(b"late")
    assert opened.transport.kinds() == [common.MSG_CHANNEL_DATA, common.MSG_CHANNEL_EOF]
    assert not opened.channel.ended


def test_a_refused_terminal_is_reported_whatever_else_is_refused(opened: Case) -> None:
    opened.channel.start("true", ChannelOptions(Pty("xterm", SIZE)))
    for _ in range(2):
        opened.receive(common.MSG_CHANNEL_FAILURE)
    with pytest.raises(PtyRefused):
        opened.channel.exit_status()
    assert opened.channel.ended


def test_a_refused_command_is_not_a_lost_status(opened: Case) -> None:
    opened.channel.start("true", ChannelOptions())
    opened.receive(common.MSG_CHANNEL_FAILURE)
    with pytest.raises(LinkLost, match="the server refused to run a command"):
        opened.channel.exit_status()


def test_an_answer_to_no_request_is_ignored(opened: Case) -> None:
    opened.receive(common.MSG_CHANNEL_FAILURE)
    opened.receive(common.MSG_CHANNEL_SUCCESS)
    opened.receive(common.MSG_CHANNEL_REQUEST, text("exit-status") + b"\1" + uint32(3))
    assert opened.channel.exit_status() == 3
    assert opened.transport.kinds() == [common.MSG_CHANNEL_FAILURE]  # it wants a reply, and we grant nothing


def test_writing_and_the_status_report_a_lost_connection(opened: Case) -> None:
    opened.channel.lose()
    with pytest.raises(LinkLost, match="the server closed the connection"):
        opened.channel.write(b"x")
    with pytest.raises(LinkLost):
        opened.channel.exit_status()
    assert opened.ends == 1


@pytest.mark.parametrize("kind", [common.MSG_CHANNEL_OPEN_SUCCESS, common.MSG_CHANNEL_OPEN_FAILURE])
def test_the_reply_to_our_request_comes_once(opened: Case, kind: int) -> None:
    with pytest.raises(Violation, match="for a channel that is open"):
        opened.receive(kind, OPENED)


def test_nothing_may_precede_that_reply(asked: Case) -> None:
    with pytest.raises(Violation, match="for a channel that is not open"):
        asked.receive(common.MSG_CHANNEL_DATA, b"x")
