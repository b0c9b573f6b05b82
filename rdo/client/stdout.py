"""Writes the command's output, and texts of rdo's own, to the caller's stdout and stderr."""

from __future__ import annotations

import errno
import os
import select

from rdo.client import splice
from rdo.errors import RdoError, reason
from rdo.fscodec import fsencode
from rdo.ipc import protocol
from rdo.ipc.sockets import Outbox

READ_SIZE = 256 * 1024

SPLICE_THRESHOLD = 64 * 1024
"""Bytes of a frame from which on it is worth while to have the kernel relay the rest."""

NO_READER = 128 + 13
"""The exit status if the reader of a text is gone: that of a command which SIGPIPE has ended."""


class OutputWriter:
    """Writes what arrives over the control connection. The descriptors are the caller's, so their flags are not
    changed."""

    def __init__(self, connection: int, decoder: protocol.Decoder, outbox: Outbox) -> None:
        """`connection` is the control connection's descriptor."""
        self._connection = connection
        self._decoder = decoder
        self._outbox = outbox
        self._splices = True
        self._reader_gone = False

    def show(self, fd: int, data: bytes | memoryview) -> None:
        """Write the data. If nobody reads stdout any more, send the command SIGPIPE. Raises RdoError."""
        if not _is_written(fd, data) and fd == 1 and not self._reader_gone:
            self._reader_gone = True
            self._outbox.send(protocol.SIGNAL, b"PIPE")

    def end(self) -> None:
        """The command has closed both streams: let the reader of stdout see that. stderr is kept for rdo's own
        lines."""
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.close(null)

    def splice_rest(self) -> int:
        """Have the kernel relay the rest of a long frame, if it can, and return the size of the next read of the
        connection."""
        if not self._splices or self._decoder.length < SPLICE_THRESHOLD:
            return READ_SIZE
        fd = 1 if self._decoder.kind == protocol.OUTPUT else 2
        self._splices = splice.splice_frame(self._connection, fd, self._decoder)
        return protocol.HEADER_SIZE if self._splices else READ_SIZE


def show_text(text: str, fd: int = 1) -> int:
    """Write a text that was asked for, and return the exit status. Raises RdoError."""
    return 0 if _is_written(fd, fsencode(text)) else NO_READER


def _is_written(fd: int, data: bytes | memoryview) -> bool:
    """Write the data. Returns False if nobody reads the stream any more. Raises RdoError."""
    try:
        write(fd, data)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EIO, errno.EBADF):
            raise RdoError(f"cannot write to {'stdout' if fd == 1 else 'stderr'}", reason(error)) from None
        return False
    return True


def write(fd: int, data: bytes | memoryview) -> None:
    """Write all of `data`, even if somebody made the descriptor non-blocking."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            select.select((), (fd,), ())
