"""Frames to the master, sent whole from any thread and from signal handlers. Part of the client's hot path."""

import _thread

from rdo import control


class Outbox:
    """What is to be sent. Who holds the lock sends for all: a signal handler may interrupt the thread that does."""

    __slots__ = ("_connection", "_frames", "_sending")

    def __init__(self, connection: control.Socket) -> None:
        self._connection = connection
        self._frames: list[tuple[bytes, bytes]] = []
        self._sending = _thread.allocate_lock()

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a frame, or leave it to whoever is sending."""
        self._frames.append((kind, payload))
        while self._frames and self._sending.acquire(False):
            try:
                while self._frames:
                    control.send(self._connection, *self._frames.pop(0))
            except OSError:
                self._frames.clear()  # the main thread reads the end of the connection, and says so
            finally:
                self._sending.release()
