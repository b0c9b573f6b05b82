"""The threads of the control master that wait for connections and serve them. No decisions about what is asked."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from typing import Protocol

from rdo.errors import SetupError
from rdo.master.listener import Listener
from rdo.util import crash, threads
from rdo.util.active_count import ActiveCount

SPARE_THREADS = 8
"""Threads at most that wait for a connection: to start one takes a command longer than to wake one."""

ALONE_TIMEOUT = 1.0
"""Seconds that a peer may take for each step while there is no other thread to wait for the next one."""

FAULT_PAUSE = 0.1
"""Seconds until the next try, after what nobody foresaw: no loop may take all of a processor and fill the log."""


class Server(Protocol):
    """What is done with a connection."""

    def serve(self, connection: socket.socket) -> None:
        """Serve it to its end. Never raises."""

    def serve_briefly(self, connection: socket.socket, why: SetupError) -> None:
        """Do what takes no time, and refuse the rest: there is no thread for it. Never raises."""


class Acceptor:
    """Sees to it that there is always a thread that waits for the next connection."""

    def __init__(self, listener: Listener, server: Server, connections: ActiveCount) -> None:
        """`connections` counts those that are served."""
        self._listener = listener
        self._server = server
        self._connections = connections
        self._waiting = ActiveCount(threading.Condition())

    def start(self) -> None:
        """Begin. Raises SetupError."""
        threads.start(self._work, name="session")

    def _work(self) -> None:
        while self._waiting.count < SPARE_THREADS:
            try:
                self._take_one()
            except BaseException as error:
                crash.log(error)
                time.sleep(FAULT_PAUSE)

    def _take_one(self) -> None:
        with ExitStack() as served:
            with self._waiting:
                connection = self._listener.accept()
                served.enter_context(self._connections)  # before it waits no more: it never counts as nothing
            refusal = None if self._waiting.count else self._start_another()
            if refusal is None:
                self._server.serve(connection)
            else:
                connection.settimeout(ALONE_TIMEOUT)
                self._server.serve_briefly(connection, refusal)

    def _start_another(self) -> SetupError | None:
        try:
            self.start()
        except SetupError as error:
            return error
        return None
