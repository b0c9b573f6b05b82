"""Calls to the system that cannot wait, made without letting another thread run meanwhile.

CPython lets go of the interpreter around each of its own. A thread that passes on a stream takes it then, and to get it
back takes longer than ten such calls; a command makes some thirty. Without ctypes, they are made as usual.
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
except (ImportError, OSError):  # a Python that was built without libffi
    LIBC = None

SIZE_LIMIT = 4096
"""Bytes: to copy more takes long enough for others to run meanwhile."""

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
    """Whether something can be sent, as poll(2) sees it, or it has ended. Raises OSError."""
    number = connection.fileno()
    if number < 0:  # closed here, which poll(2) would pass over
        return True
    if LIBC is None:
        room = select.poll()
        room.register(connection, select.POLLOUT)
        return bool(room.poll(0))
    return _checked(LIBC.poll(PollEntry(number, select.POLLOUT), 1, 0)) > 0


def send(connection: socket.socket, data: bytes | memoryview) -> int:
    """Send what there is room for: how many bytes. Raises BlockingIOError, OSError."""
    if LIBC is None or len(data) > SIZE_LIMIT:
        return connection.send(data, socket.MSG_DONTWAIT)
    return _checked(LIBC.send(connection.fileno(), bytes(data), len(data), socket.MSG_DONTWAIT))


class Reader:
    """Reads links and small files, such as those of /proc: None where that cannot be done. For one thread."""

    def __init__(self) -> None:
        self._room: Any = ctypes.create_string_buffer(SIZE_LIMIT) if LIBC is not None else None

    def link(self, path: str) -> bytes | None:
        """What a link leads to."""
        if self._room is None:
            with contextlib.suppress(OSError):
                return fsencode(os.readlink(path))
            return None
        size = LIBC.readlink(path.encode(), self._room, SIZE_LIMIT)
        return self._room[:size] if size >= 0 else None

    def file(self, path: str) -> bytes | None:
        """A file's bytes."""
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
    """It, unless it is -1. Raises OSError."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
