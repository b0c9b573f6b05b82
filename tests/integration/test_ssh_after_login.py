"""Tests for the moment after the login: the timeout of the connection's reads is removed, and the server may
disconnect.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from typing import Any

import pytest

from rdo.drivers.ssh import dial
from rdo.drivers.ssh.connector import Connector
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import MakeServer
from tests.leaks import wait_until
from tests.ssh_client import TIMEOUT, ScriptedCaller, driver, output
from tests.ssh_server import SshServer


@pytest.fixture
def server(own_server: MakeServer) -> SshServer:
    return own_server().start()


class SlowlyBlocking(socket.socket):
    """A socket that changes its timeout in two steps like CPython's sock_settimeout(), and lets another thread read in
    between.

    The steps are Python's own timeout, and then the descriptor's flag.
    """

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())
        self._reader: threading.Thread | None = None
        self._read = threading.Condition()
        self._reads = 0

    def recv_into(self, *room: Any) -> int:
        self._reader = threading.current_thread()
        try:
            return super().recv_into(*room)
        finally:
            with self._read:
                self._reads += 1
                self._read.notify_all()

    def settimeout(self, seconds: float | None) -> None:
        super().settimeout(seconds)
        if seconds is not None or self._reader in (None, threading.current_thread()):
            return
        os.set_blocking(self.fileno(), False)
        with self._read:
            enough = self._reads + 2  # the one that continues, and the next one
            self._read.wait_for(lambda: self._reads >= enough, TIMEOUT)
        with contextlib.suppress(OSError):
            os.set_blocking(self.fileno(), True)


def test_a_connection_continues_after_the_timeout_of_its_reads_was_removed(server: SshServer) -> None:
    caller, config = ScriptedCaller(), str(server.ssh_config())
    options = Query(SshQueryRequest("devbox", ssh_config=config), caller.environment).options()
    stream = SlowlyBlocking(dial.connect(options, TIMEOUT))
    connection = Connector(caller, config, None).connect(options, stream)
    with contextlib.closing(connection):
        assert stream.gettimeout() is None
        assert output(connection, "echo in") == (0, "in\n")


class HangsUp(ScriptedCaller):
    """A connection whose server disconnects while the LocalCommand runs."""

    def __init__(self, server: SshServer) -> None:
        super().__init__()
        self._server = server

    def report(self, line: str) -> None:
        self._server.cut()
        assert wait_until(lambda: not any(isinstance(t, SshTransport) for t in threading.enumerate()), TIMEOUT)


def test_a_server_that_hangs_up_after_the_login_is_reported(server: SshServer) -> None:
    config = server.ssh_config(extra=["LocalCommand echo in", "PermitLocalCommand yes"])
    why = "ended the connection after the login: the server closed the connection; see the server's log$"
    with pytest.raises(ConnectError, match=why):
        connected(driver(config), HangsUp(server))
