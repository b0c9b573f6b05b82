"""Tests for several channels on a connection to a real server: refused, closed, forgotten, and not mixed up."""

from __future__ import annotations

import time

import pytest

from rdo.drivers.base import STDOUT, ChannelRefused
from rdo.drivers.ssh.connection import SshConnection
from tests.dropbear import Dropbear
from tests.integration.conftest import Connect, MakeServer
from tests.leaks import wait_until
from tests.servers import sshd_alone
from tests.ssh_client import TIMEOUT, drain, output, outputs_side_by_side
from tests.ssh_server import SshServer


def output_if_allowed(connection: SshConnection, command: str) -> tuple[int, str] | None:
    """Retries, because sshd frees a session's slot a moment after it has closed its channel."""
    try:
        return output(connection, command)
    except ChannelRefused:
        return None


@sshd_alone("MaxSessions")
def test_an_excess_session_is_refused_and_the_first_continues(own_server: MakeServer, connect: Connect) -> None:
    with own_server("MaxSessions 1") as server:
        connection = connect(server.ssh_config())
        first = connection.open_channel("cat", None)
        with pytest.raises(ChannelRefused):
            connection.open_channel("true", None)
        first.write(b"still here")
        first.end_input()
        assert drain(first)[STDOUT] == b"still here"
        assert wait_until(lambda: output_if_allowed(connection, "echo next") == (0, "next\n"), TIMEOUT)


def test_a_closed_channel_is_forgotten(server: SshServer, connect: Connect) -> None:
    connection = connect(server.ssh_config())
    first = connection.open_channel("cat", None)
    first.close()
    first.close()
    assert first.read(TIMEOUT) is None
    assert wait_until(lambda: not len(connection._transport.open_channels), TIMEOUT)


def test_a_closed_channel_leaves_nothing_and_later_messages_for_it_are_dropped(
    server: SshServer, connect: Connect
) -> None:
    connection = connect(server.ssh_config())
    for _ in range(3):
        assert output(connection, "echo hello") == (0, "hello\n")
    transport = connection._transport
    assert wait_until(lambda: not len(transport.open_channels), TIMEOUT)
    assert transport.packetizer.receiver.handle(94, 2, b"late")
    assert not transport.packetizer.receiver.handle(94, 3, b"never there")
    assert output(connection, "echo again") == (0, "again\n")


@sshd_alone("room for many sessions")
def test_many_concurrent_commands_are_not_mixed_up(own_server: MakeServer, connect: Connect) -> None:
    # More than run at a time: the server counts a session until it has seen its process end.
    connection = connect(own_server("MaxSessions 100").start().ssh_config())
    started = time.monotonic()
    found = outputs_side_by_side(connection, threads=8, turns=5)
    assert found == {key: (key // 10, f"{key}\n") for key in found}
    assert len(found) == 40
    assert time.monotonic() - started < 60


def test_a_slot_is_reused_as_soon_as_its_session_has_ended(dropbear: Dropbear, connect: Connect) -> None:
    connection = connect(dropbear.ssh_config())
    held = connection.open_channel("cat", None)
    for number in range(30):  # its output ends before the server closes it
        assert output(connection, f"echo {number}; exec >&- 2>&-; sleep 0.0{number % 5}") == (0, f"{number}\n")
    started = time.monotonic()
    second = connection.open_channel("cat", None)
    with pytest.raises(ChannelRefused):
        connection.open_channel("true", None)
    assert time.monotonic() - started < TIMEOUT
    for channel in (held, second):
        channel.end_input()
        assert channel.exit_status() == 0
