"""Frames to the master, sent whole from any thread and from signal handlers. Part of the client's hot path."""

import _thread

from rdo import protocol

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from rdo.control import Socket

ACCEPT_TIMEOUT = 3.0
"""Seconds for a master to accept a request. It does so before anything slow, so that a silent one is wedged."""


def send(connection: "Socket", kind: bytes, payload: "bytes | memoryview" = b"") -> None:
    """Send one frame, whole, without a copy of its payload. Raises OSError."""
    head = protocol.header(kind, len(payload))
    sent = connection.sendmsg((head, payload))
    if sent < len(head):
        connection.sendall(head[sent:])
    if sent < len(head) + len(payload):
        connection.sendall(memoryview(payload)[max(0, sent - len(head)) :])


def ask(connection: "Socket", request: protocol.Request) -> None:
    """Send a request, to be answered within ACCEPT_TIMEOUT. What fails shows when the answer is read."""
    connection.settimeout(ACCEPT_TIMEOUT)
    try:
        send(connection, protocol.RUN, protocol.encode_request(request))
    except OSError:
        pass


class Outbox:
    """What is to be sent. Who holds the lock sends for all: a signal handler may interrupt the thread that does."""

    __slots__ = ("_connection", "_frames", "_sending")

    def __init__(self, connection: "Socket") -> None:
        self._connection = connection
        self._frames: list[tuple[bytes, bytes]] = []
        self._sending = _thread.allocate_lock()

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a frame, or leave it to whoever is sending."""
        self._frames.append((kind, payload))
        while self._frames and self._sending.acquire(False):
            try:
                while self._frames:
                    send(self._connection, *self._frames.pop(0))
            except OSError:
                self._frames.clear()  # the main thread reads the end of the connection, and says so
            finally:
                self._sending.release()
