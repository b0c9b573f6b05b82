"""Tests for how a control master handles a peer that sends nothing."""

from __future__ import annotations

import os
import socket
import tempfile
import threading

import pytest

from rdo.master import daemon

TIMEOUT = 10.0
"""Seconds for something that takes a moment."""


def test_a_peer_that_sends_no_request_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "FIRST_FRAME_TIMEOUT", 0.05)
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        made = daemon.Master(f"{directory}/socket", b"release")
        near, far = socket.socketpair()
        with far:
            serving = threading.Thread(target=made._serve, args=(near, None))
            serving.start()
            far.settimeout(TIMEOUT)
            assert far.recv(1) == b""
            serving.join(TIMEOUT)
            assert not serving.is_alive()
        made._listener.close()
        made._listener._socket.close()
        assert os.listdir(directory) == []
