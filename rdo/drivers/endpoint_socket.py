"""Connecting to a server that this machine can reach. Waits for it."""

from __future__ import annotations

import socket

from rdo.config.forwards import Endpoint


def connect(destination: Endpoint, timeout: float) -> socket.socket:
    """A socket that is connected to it, within so many seconds. Raises OSError."""
    if not destination.path:
        return socket.create_connection((destination.host, destination.port), timeout)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(timeout)
        connection.connect(destination.path)
    except BaseException:
        connection.close()
        raise
    return connection
