"""Requests to the engine, over connections that are kept open; and streams that take a connection over. Knows HTTP, and
nothing of containers. One Engine belongs to one connection of rdo and may be used from any thread."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from rdo.drivers.docker import answer
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.dial import dial
from rdo.drivers.docker.endpoint import Endpoint
from rdo.drivers.docker.http import BODY_LIMIT, BodyDecoder, HttpError, ResponseHead, request, split_head
from rdo.drivers.docker.stream import Deadline, EngineStream
from rdo.errors import ConnectError, reason
from rdo.util import clock

ANSWER_TIMEOUT = 60.0
"""Seconds for an answer, for which the engine may have to start a container."""

NEWEST_API = (1, 47)
"""The version of the API that this code was written for; an engine that knows a later one is asked for this."""

CONSOLE_SIZE_SINCE = (1, 42)
"""From here on the engine makes a pty of the right size at once."""

OLDEST_API = "1.24"
"""The version of an engine that reports none."""

VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")

UNCHANGED = 304
"""The status of a container that runs already and is started: an answer like any other."""

STREAM_STATUSES = (101, 200)
"""The statuses with which an engine hands a connection over; the second one is that of old engines, and of podman."""

IDLE_LIMIT = 4
"""Idle connections at most."""


class EngineError(Exception):
    """The engine refused: HTTP status, and what it said."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class HijackedStream(NamedTuple):
    """A connection that has become a stream, and the first bytes that came with the answer."""

    wire: EngineStream
    early: bytes


class Engine:
    """The engine at one endpoint. It is reached over a network where it `is_remote`."""

    def __init__(self, endpoint: Endpoint, environment: Mapping[str, str]) -> None:
        self.endpoint = endpoint
        self.is_remote = endpoint.scheme != "unix"
        self.heard = 0.0
        """When the engine was last heard from: clock.elapsed, which goes on while the machine sleeps."""
        self._environment = environment
        self._idle: list[EngineStream] = []
        self._asked: set[EngineStream] = set()
        """Those on which an answer is waited for."""
        self.answered: Callable[[], None] = lambda: None
        """Called when an answer has come over a connection that was there before."""
        self._lock = threading.Lock()
        """Guards which are idle, and which are not."""
        self._version: tuple[int, int] | None = None

    @property
    def version(self) -> tuple[int, int]:
        """The version of the API that both sides know. Raises ConnectError."""
        if self._version is None:
            head, _ = self._exchange("GET", f"{self.endpoint.path}/_ping", None, {}, ANSWER_TIMEOUT)
            version = VERSION.fullmatch(head.fields.get("api-version", OLDEST_API))
            if head.status >= 300 or not version:
                raise answer.invalid_answer("GET /_ping", f"status {head.status}" if version else "no version")
            self._version = min(NEWEST_API, (int(version[1]), int(version[2])))
        return self._version

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        fields: Mapping[str, str] | None = None,
        timeout: float | None = ANSWER_TIMEOUT,
    ) -> EngineAnswer:
        """The answer's JSON; null where it has no body. All of it has to come in time.

        Raises EngineError, ConnectError.
        """
        head, data = self._exchange(method, self._path(path, query), body, fields or {}, timeout)
        _check(head, data)
        question = f"{method} {path}"
        if not data or "json" not in head.fields.get("content-type", ""):
            return EngineAnswer(None, question)
        return answer.decode(data, question)

    def stream(
        self,
        path: str,
        query: Mapping[str, object],
        fields: Mapping[str, str],
        timeout: float,
        pieces: Iterable[bytes] = (),
    ) -> Iterator[bytes]:
        """POST, and give the answer's body as it comes. Raises EngineError, ConnectError, and TimeoutError.

        `pieces` are the request's body, as `fields` say.
        """
        wire = dial(self.endpoint, self._environment)
        try:
            data = request("POST", self._path(path, query), None, fields)
            head, rest = self._begin(wire, data, Deadline(timeout), pieces)
            body = BodyDecoder(head)
            if head.status >= 300:
                _check(head, self._finish(wire, body, rest, Deadline(timeout)))
            yield body.receive(rest)
            while not body.complete:
                yield self._more(wire, body, Deadline(timeout))
        except TimeoutError:
            raise
        except (OSError, HttpError) as error:
            raise self._confused(error) from None
        finally:
            wire.close()

    def hijack(self, path: str, body: object, query: Mapping[str, object] | None = None) -> HijackedStream:
        """POST, and take the connection over. Raises EngineError, ConnectError."""
        wire = dial(self.endpoint, self._environment)
        try:
            fields = {"Connection": "Upgrade", "Upgrade": "tcp"}
            end = Deadline(ANSWER_TIMEOUT)
            head, rest = self._begin(wire, request("POST", self._path(path, query), body, fields), end)
            if head.status not in STREAM_STATUSES:
                _check(head, self._finish(wire, BodyDecoder(head), rest, end))
                raise HttpError(f"status {head.status} instead of a stream")
            return HijackedStream(wire, rest)
        except (EngineError, ConnectError):
            wire.close()
            raise
        except (OSError, HttpError) as error:
            wire.close()
            raise self._confused(error) from None

    @property
    def owes_answer(self) -> bool:
        """Whether all connections that are kept are waited on."""
        return bool(self._asked and not self._idle)

    def cut(self) -> None:
        """Let nobody wait for an answer any longer."""
        with self._lock:
            asked = list(self._asked)
        for wire in asked:
            wire.close()

    def close(self) -> None:
        """Close the idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for wire in idle:
            wire.close()

    def _path(self, path: str, query: Mapping[str, object] | None) -> str:
        major, minor = self.version
        return f"{self.endpoint.path}/v{major}.{minor}{path}" + (f"?{urlencode(query)}" if query else "")

    def _exchange(
        self, method: str, path: str, body: object, fields: Mapping[str, str], timeout: float | None
    ) -> tuple[ResponseHead, bytes]:
        kept = self._take()
        wire = kept or dial(self.endpoint, self._environment)
        with self._lock:
            self._asked.add(wire)
        try:
            end = Deadline(timeout)
            head, rest = self._begin(wire, request(method, path, body, fields), end)
            if head.status == 101:
                raise HttpError("it started a stream that was not requested")
            data = self._finish(wire, BodyDecoder(head, absent=method == "HEAD"), rest, end)
        except (OSError, HttpError) as error:
            wire.close()
            raise self._confused(error) from None
        except ConnectError:
            wire.close()
            raise
        finally:
            with self._lock:
                self._asked.discard(wire)
        if kept:
            self.answered()
        self._give_back(wire, head)
        return head, data

    def _take(self) -> EngineStream | None:
        """A connection that was kept and is still there: an idle one has nothing to read but its end."""
        while True:
            with self._lock:
                if not self._idle:
                    return None
                wire = self._idle.pop()
            try:
                wire.receive(0)
            except TimeoutError:
                return wire
            wire.close()

    def _give_back(self, wire: EngineStream, head: ResponseHead) -> None:
        with self._lock:
            if head.keeps_alive and len(self._idle) < IDLE_LIMIT:
                self._idle.append(wire)
                return
        wire.close()

    def _begin(
        self, wire: EngineStream, data: bytes, end: Deadline, pieces: Iterable[bytes] = ()
    ) -> tuple[ResponseHead, bytes]:
        wire.send(data)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # its answer says why it refuses
            for piece in pieces:
                wire.send(piece)
        received = b""
        while (found := split_head(received)) is None:
            more = wire.receive(end.left())
            if not more:
                raise HttpError("it closed the connection")
            received += more
        self.heard = clock.elapsed()
        return found

    def _finish(self, wire: EngineStream, body: BodyDecoder, rest: bytes, end: Deadline) -> bytes:
        pieces = [body.receive(rest)]
        size = len(pieces[0])
        while not body.complete:
            pieces.append(self._more(wire, body, end))
            size += len(pieces[-1])
            if size > BODY_LIMIT:
                raise HttpError(f"the response is longer than {BODY_LIMIT >> 20} MiB")
        return b"".join(pieces)

    def _more(self, wire: EngineStream, body: BodyDecoder, end: Deadline) -> bytes:
        data = wire.receive(end.left())
        if not data:
            body.end()
        self.heard = clock.elapsed()
        return body.receive(data)

    def _confused(self, error: Exception) -> ConnectError:
        why = "no response in time" if isinstance(error, TimeoutError) else reason(error)
        return ConnectError(f"the Docker engine at `{self.endpoint.name}` did not send a valid HTTP response", why)


def _check(head: ResponseHead, data: bytes) -> None:
    """Raises EngineError where the answer is a refusal."""
    if head.status >= 300 and head.status != UNCHANGED:
        raise EngineError(head.status, answer.message(data) or f"status {head.status}")
