"""Tests for what is regarded as a sign of life of the peer."""

from __future__ import annotations

import socket
import threading

from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.paramiko_adapter import PacketizerAdapter

FULL_TIMEOUT = 10.0
"""Seconds for a socket to fill up if nobody reads from it."""


class Observed(MonitoredStream):
    """A stream that reports when a sender has to wait."""

    def __init__(self, stream: socket.socket) -> None:
        super().__init__(stream)
        self.is_full = threading.Event()

    def wait_for_room(self, timeout: float) -> None:
        self.is_full.set()
        super().wait_for_room(timeout)


def test_each_piece_that_a_slow_peer_accepts_is_a_sign_of_life() -> None:
    """Its reply to a probe would be queued behind everything else, possibly for minutes on a slow line."""
    near, far = socket.socketpair()
    with near, far:
        stream = Observed(near)
        begun = stream.sign.at
        sending = threading.Thread(target=PacketizerAdapter(stream).sender.write_all, args=(bytes(20_000_000),))
        sending.start()
        assert stream.is_full.wait(FULL_TIMEOUT)
        assert stream.sign.at == begun
        size = 0
        while size < 20_000_000:
            size += len(far.recv(1_000_000))
        sending.join()
        assert stream.sign.at > begun
