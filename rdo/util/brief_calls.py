"""System calls that never block, made without releasing the interpreter lock.

CPython releases the lock around each of its own calls. Another thread that relays a stream then takes it, and getting
it back takes longer than ten such calls; a command makes some thirty. Without ctypes, the calls are made as usual.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
from typing import Any

from rdo.fscodec import fsencode

try:
    import ctypes
    from ctypes import POINTER, c_char_p, c_int, c_short, c_size_t, c_ssize_t, c_ulong

    LIBC: Any = ctypes.PyDLL(None, use_errno=True)
except (ImportError, OSError):  # a Python built without libffi
    LIBC = None

SIZE_LIMIT = 4096
"""Bytes. Copying more takes long enough to let other threads run meanwhile."""

if LIBC is not None:

    class PollEntry(ctypes.Structure):
        """struct pollfd."""

        _fields_ = (("fd", c_int), ("events", c_short), ("revents", c_short))

    LIBC.poll.argtypes = (POINTER(PollEntry), c_ulong, c_int)
    LIBC.send.argtypes, LIBC.send.restype = (c_int, c_char_p, c_size_t, c_int), c_ssize_t
    LIBC.readlink.argtypes, LIBC.readlink.restype = (c_char_p, c_char_p, c_size_t), c_ssize_t
    LIBC.read.argtypes, LIBC.read.restype = (c_int, c_char_p, c_size_t), c_ssize_t
    LIBC.open.argtypes = (c_char_p, c_int)


def has_room(connection: socket.socket) -> bool:
    """Whether poll(2) reports that something can be sent, or that the connection has ended. Raises OSError."""
    number = connection.fileno()
    if number < 0:  # the socket is closed, and poll(2) would ignore it
        return True
    if LIBC is None:
        room = select.poll()
        room.register(connection, select.POLLOUT)
        return bool(room.poll(0))
    return _checked(LIBC.poll(PollEntry(number, select.POLLOUT), 1, 0)) > 0


def send(connection: socket.socket, data: bytes | memoryview) -> int:
    """Send as much as there is room for, and return the number of bytes. Raises BlockingIOError, OSError."""
    if LIBC is None or len(data) > SIZE_LIMIT:
        return connection.send(data, socket.MSG_DONTWAIT)
    return _checked(LIBC.send(connection.fileno(), bytes(data), len(data), socket.MSG_DONTWAIT))


class Reader:
    """Reads links and small files such as those of /proc; returns None for what cannot be read. Not thread-safe."""

    def __init__(self) -> None:
        self._room: Any = ctypes.create_string_buffer(SIZE_LIMIT) if LIBC is not None else None

    def link(self, path: str) -> bytes | None:
        """The target of a symbolic link."""
        if self._room is None:
            with contextlib.suppress(OSError):
                return fsencode(os.readlink(path))
            return None
        size = LIBC.readlink(path.encode(), self._room, SIZE_LIMIT)
        return self._room[:size] if size >= 0 else None

    def file(self, path: str) -> bytes | None:
        """The content of a file."""
        if self._room is None:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                return file.read()
            return None
        number = LIBC.open(path.encode(), os.O_RDONLY | os.O_CLOEXEC)
        if number < 0:
            return None
        try:
            text, size = b"", SIZE_LIMIT
            while size == SIZE_LIMIT and (size := LIBC.read(number, self._room, SIZE_LIMIT)) > 0:
                text += self._room[:size]
            return text if size >= 0 else None
        finally:
            LIBC.close(number)


def _checked(result: int) -> int:
    """Return the result unless it is -1. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
