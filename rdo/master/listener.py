"""The master's side of the control socket, and the threads that accept connections. Does not interpret requests."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable

from rdo.errors import SetupError, reason
from rdo.ipc import peercred, sockets
from rdo.ipc.address import hint_for
from rdo.master import stale_files
from rdo.util import log, threads
from rdo.util.active_count import ActiveCount

BACKLOG = 512
"""Connections that may wait to be accepted, as under `make -j`."""

ROOM_INTERVAL = 0.1
"""Seconds until the next attempt to accept while no descriptors are left."""

SEND_BUFFER = 1024 * 1024
"""Bytes that may be in flight to a client, as far as the system allows, so that a whole chunk of output is sent in one
call."""

SPARE_THREAD_LIMIT = 8
"""Most threads that wait for a connection. Waking one is faster than starting one."""

FAULT_INTERVAL = 0.1
"""Seconds until the next connection is accepted after an unexpected error, so that no loop fills the log."""


class ControlListener:
    """The control socket that listens at `path`."""

    def __init__(self, path: str, lent: socket.socket | None = None) -> None:
        """`lent` is a socket that already listens there and outlives this master, since it belongs to systemd or
        launchd.

        Raises SetupError.
        """
        self._path = path
        self._ending = f"{path}.{os.urandom(3).hex()}"
        self._is_lent = lent is not None
        self._socket = lent or socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            if not self._is_lent:
                self._bind(path + stale_files.STARTING)
        except OSError as error:
            raise SetupError(f"cannot create the socket `{path}`", reason(error), hint_for(error)) from None
        self._identity = sockets.identity(path)

    def _bind(self, private: str) -> None:
        """Bind under a private name, then move the socket into place, so that nobody finds one that does not listen
        yet."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(private)
        self._socket.bind(private)
        os.chmod(private, 0o600)
        self._socket.listen(BACKLOG)
        os.rename(private, self._path)

    @property
    def in_place(self) -> bool:
        """Whether new commands still arrive here. Another master may have taken the place of one that seemed wedged."""
        return sockets.identity(self._path) == self._identity

    def accept(self) -> socket.socket:
        """Accept a connection of the same user or root. Several threads may wait, and one of them gets it."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                time.sleep(ROOM_INTERVAL)
                continue
            with contextlib.suppress(OSError):  # macOS reports no peer that has already disconnected
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                if peercred.uid(connection) in (os.geteuid(), 0):
                    return connection
            connection.close()

    def leave(self) -> None:
        """Give up the place, if it is still ours, so that the next command starts a new master.

        The socket gets another name, at which it still answers `rdoctl status` and `rdoctl stop --now`.
        """
        if self.in_place and not self._is_lent:
            with contextlib.suppress(OSError):
                os.rename(self._path, self._ending)

    def close(self) -> None:
        """Remove the socket, and what other masters have left behind."""
        self.leave()
        with contextlib.suppress(OSError):
            os.unlink(self._ending)
        stale_files.clear(os.path.dirname(self._path))


Serve = Callable[[socket.socket, SetupError | None], None]
"""Serves a connection to its end, or refuses whatever takes longer than a moment. Never raises."""


class Acceptor:
    """The threads that accept and serve connections. One is always waiting for the next connection."""

    def __init__(self, listener: ControlListener, serve: Serve) -> None:
        self._listener = listener
        self._serve = serve
        self._waiting = ActiveCount(threading.Condition())
        """The number of threads that wait for a connection, and its lock."""

    def start(self) -> None:
        """Start the first thread. Raises SetupError."""
        threads.start(self._work, name="session")

    def _work(self) -> None:
        while self._waiting.count < SPARE_THREAD_LIMIT:
            try:
                self._take_one()
            except BaseException as error:
                log.crash(error)
                time.sleep(FAULT_INTERVAL)

    def _take_one(self) -> None:
        with self._waiting:
            connection = self._listener.accept()
        refusal = None
        try:
            if not self._waiting.count:
                self.start()
        except SetupError as error:
            refusal = error  # this thread is the only one, and must soon accept again
        self._serve(connection, refusal)
