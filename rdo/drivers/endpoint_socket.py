"""Connects to a server that this machine can reach, and waits for the connection."""

from __future__ import annotations

import socket
from typing import Any

from rdo.config.forwards import Endpoint


def connect(destination: Endpoint, timeout: float) -> socket.socket:
    """A socket connected to the destination, within so many seconds. Raises OSError."""
    if destination.path:
        return _connected(socket.AF_UNIX, destination.path, timeout)
    errors = []
    for family, _, _, _, address in socket.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM):
        try:
            return _connected(family, address, timeout)
        except OSError as error:
            errors.append(error)
    raise errors[0]  # of several addresses, those that are unreachable from here come last


def _connected(family: int, address: tuple[Any, ...] | str, timeout: float) -> socket.socket:
    connection = socket.socket(family)
    try:
        connection.settimeout(timeout)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection
