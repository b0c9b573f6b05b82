"""A request over a connection to an engine, and its answer as it arrives."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable

from rdo.drivers.docker.http import BODY_LIMIT, BodyDecoder, HttpError, ResponseHead, split_head
from rdo.drivers.docker.stream import Deadline, EngineStream


class Unanswered(HttpError):
    """The connection ended before any of the answer arrived."""


class Exchange:
    """A request and its answer. All methods raise OSError, of which TimeoutError is a subclass, and HttpError."""

    def __init__(self, wire: EngineStream, heard: Callable[[], None]) -> None:
        """`heard` is called whenever something has arrived."""
        self._wire = wire
        self._heard = heard

    def begin(self, data: bytes, end: Deadline, pieces: Iterable[bytes] = ()) -> tuple[ResponseHead, bytes]:
        """Send the request, wait for the head of the answer, and return it with what has arrived after it."""
        self._wire.send(data)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its answer says why it refuses
            for piece in pieces:
                self._wire.send(piece)
        received = b""
        while (found := split_head(received)) is None:
            more = self._wire.receive(end.left())
            if not more:
                raise (HttpError if received else Unanswered)("it closed the connection")
            received += more
        self._heard()
        return found

    def finish(self, body: BodyDecoder, rest: bytes, end: Deadline) -> bytes:
        """The complete body, which begins with what arrived with the head."""
        pieces = [body.receive(rest)]
        size = len(pieces[0])
        while not body.complete:
            pieces.append(self.more(body, end))
            size += len(pieces[-1])
            if size > BODY_LIMIT:
                raise HttpError(f"the response is longer than {BODY_LIMIT >> 20} MiB")
        return b"".join(pieces)

    def more(self, body: BodyDecoder, end: Deadline) -> bytes:
        """The next part of the body."""
        data = self._wire.receive(end.left())
        if not data:
            body.end()
        self._heard()
        return body.receive(data)
