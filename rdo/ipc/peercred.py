"""Who is at the other end of a control connection. This module decides nothing."""

from __future__ import annotations

import socket
import struct
import sys

_SOL_LOCAL = 0
_LOCAL_PEERCRED = 1
_LOCAL_PEERPID = 2
_XUCRED_UID = struct.Struct("II")
"""macOS and FreeBSD: struct xucred starts with its version and the uid (sys/ucred.h)."""


def uid(connection: socket.socket) -> int:
    """The peer's user id, as reported by the kernel."""
    if hasattr(socket, "SO_PEERCRED"):
        ucred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", ucred)[1])
    xucred = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 128)
    return int(_XUCRED_UID.unpack_from(xucred)[1])


def pid(connection: socket.socket) -> int | None:
    """The process that listens at the other end; None where the platform does not report it. Source: unix(7), xnu's
    un.h."""
    if hasattr(socket, "SO_PEERCRED"):
        ucred = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", ucred)[0])
    if sys.platform == "darwin":
        return connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID)
    return None
