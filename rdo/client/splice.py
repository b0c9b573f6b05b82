"""Long streams passed on within the kernel, as Linux can: output from the control connection to a pipe, and input to
the connection. No copy, half the time.
"""

from __future__ import annotations

import os
import select

from rdo.ipc.protocol import Decoder
from rdo.ipc.sockets import Piped, Socket


def splice_frame(source: int, target: int, decoder: Decoder) -> bool:
    """Pass the rest of the frame that is under way from a socket to a pipe.

    False where that cannot be: no pipe, no Linux, a reader that is gone, a socket that broke. What is left then, or
    at the end of the socket, is for the caller, who meets the reason in the ordinary way.
    """
    while decoder.left:
        try:
            count = os.splice(source, target, decoder.left)
        except BlockingIOError:  # somebody made the caller's pipe non-blocking
            select.select((), (target,), ())
        except (AttributeError, OSError):
            return False
        else:
            decoder.left -= count
            if count == 0:
                break
    return True


class Pipe:
    """Where input waits until its length is known, which goes first: what is in the caller's pipe others may read."""

    def __init__(self) -> None:
        self._end, self._start = os.pipe()

    def take(self, source: int, limit: int) -> Piece:
        """Move what there is in `source` in here, nothing at its end. Raises AttributeError, OSError."""
        return Piece(self._end, os.splice(source, self._start, limit))

    def close(self) -> None:
        """Drop it, once it is empty."""
        os.close(self._end)
        os.close(self._start)


class Piece(Piped):
    """So many bytes of what is in a pipe."""

    __slots__ = ("_pipe", "_size")

    def __init__(self, pipe: int, size: int) -> None:
        self._pipe = pipe
        self._size = size

    def __len__(self) -> int:
        return self._size

    def send(self, connection: Socket) -> None:
        """Send them, by a copy where the system splices into no such socket. Raises OSError."""
        left = self._size
        while left:
            try:
                left -= os.splice(self._pipe, connection.fileno(), left)
            except OSError:
                data = os.read(self._pipe, left)
                connection.sendall(data)
                left -= len(data)
