"""The control socket from the master's side: bound, moved into place, accepted on, and left. No decisions."""

from __future__ import annotations

import contextlib
import os
import select
import socket

from rdo import control, peer
from rdo.errors import SetupError

BACKLOG = 512
"""Commands that may wait to be accepted, as under `make -j`."""

SEND_BUFFER = 1024 * 1024
"""Bytes on their way to a client, as far as the system allows: a whole chunk of output goes in one call."""


class Listener:
    """A control socket that listens at `path`."""

    def __init__(self, path: str) -> None:
        """Raises SetupError."""
        self._path = path
        self._private = f"{path}.{os.getpid()}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._bind(self._private)
        except OSError as error:
            raise SetupError(f"cannot make the socket `{path}`", str(error.strerror)) from None
        self._identity = control.identity(path)
        self._wake_near, self._wake_far = socket.socketpair()
        self._wake_near.setblocking(False)

    def _bind(self, private: str) -> None:
        """Bind under a private name and move into place: nobody meets a socket that does not listen yet."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(private)
        self._socket.bind(private)
        os.chmod(private, 0o600)
        self._socket.listen(BACKLOG)
        self._socket.setblocking(False)
        os.rename(private, self._path)

    @property
    def in_place(self) -> bool:
        """Whether new commands still come here: another master may have taken the place of one that seemed wedged."""
        return control.identity(self._path) == self._identity

    def accept(self, timeout: float) -> list[socket.socket]:
        """The connections that came, of the same user or root, within `timeout` seconds or until `wake`."""
        select.select([self._socket, self._wake_near], [], [], timeout)
        with contextlib.suppress(BlockingIOError):
            self._wake_near.recv(4096)
        accepted: list[socket.socket] = []
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return accepted
            if peer.uid(connection) in (os.geteuid(), 0):
                connection.setblocking(True)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
                accepted.append(connection)
            else:
                connection.close()

    def wake(self) -> None:
        """Have `accept` return at once. From any thread."""
        self._wake_far.send(b"1")

    def leave(self) -> None:
        """Leave the place, if it is still ours, so that the next command starts a new master.

        Under its private name the socket can still be asked how the running commands do, and told to end now.
        """
        if self.in_place:
            with contextlib.suppress(OSError):
                os.rename(self._path, self._private)

    def close(self) -> None:
        """Take the socket away."""
        self.leave()
        with contextlib.suppress(OSError):
            os.unlink(self._private)
