"""A connection to a server on this machine: the TargetStream of rdo.drivers.target_stream."""

from __future__ import annotations

import contextlib
import socket

from rdo.config.forwards import Endpoint
from rdo.drivers import endpoint_socket
from rdo.drivers.base import READ_SIZE
from rdo.errors import LinkLost, reason

CONNECT_TIMEOUT = 5.0
"""Seconds to connect. A server on this machine answers at once, if there is one."""


class LocalStream:
    """See TargetStream."""

    def __init__(self, destination: Endpoint) -> None:
        """Connect. Raises LinkLost."""
        try:
            self._socket = endpoint_socket.connect(destination, CONNECT_TIMEOUT)
        except OSError as error:
            raise LinkLost(f"cannot connect to `{destination}`", reason(error)) from None
        self._socket.setblocking(False)
        self.is_open = True
        self.ended = False
        self.failure = ""

    def fileno(self) -> int:
        """See TargetStream."""
        return self._socket.fileno()

    def write(self, data: memoryview) -> int:
        """See TargetStream."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self.ended = True
            return len(data)

    def flush(self) -> None:
        """See TargetStream."""

    def read(self) -> bytes | None:
        """See TargetStream."""
        try:
            return self._socket.recv(READ_SIZE) or None
        except BlockingIOError:
            return b""
        except OSError as error:
            self.ended, self.failure = True, reason(error)
            return None

    def end_input(self) -> bool:
        """See TargetStream."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        return True

    def close(self) -> None:
        """See TargetStream."""
        self._socket.close()
