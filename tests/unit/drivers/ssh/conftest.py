"""Fixtures for tests of SSH packets over a pair of sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.paramiko_adapter import PacketizerAdapter
from tests.unit.drivers.ssh.packet_ends import Ends, cipher


@pytest.fixture
def ends() -> Iterator[Ends]:
    """A sender, a receiver, and the receiver's socket."""
    near, far = socket.socketpair()
    with near, far:
        sender, receiver = PacketizerAdapter(MonitoredStream(near)), PacketizerAdapter(MonitoredStream(far))
        sender.set_outbound_cipher(**cipher("iv_out"))
        receiver.set_inbound_cipher(**cipher("iv_in"))
        yield sender, receiver, far
