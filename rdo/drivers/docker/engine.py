"""Sends requests to the engine over kept connections, and opens streams that take a connection over. Knows HTTP, but
nothing about containers. An Engine belongs to one connection of rdo. Thread-safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlencode

from rdo.drivers.docker import answer
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.dial import dial
from rdo.drivers.docker.endpoint import EngineEndpoint
from rdo.drivers.docker.exchange import Exchange, Unanswered
from rdo.drivers.docker.http import BodyDecoder, HttpError, ResponseHead, request
from rdo.drivers.docker.kept_streams import KeptStreams
from rdo.drivers.docker.stream import Deadline, EngineStream, HijackedStream
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from rdo.errors import ConnectError, reason
from rdo.util import clock

ANSWER_TIMEOUT = 60.0
"""Seconds for an answer, for which the engine may have to start a container."""

NEWEST_API = (1, 47)
"""The version of the API that this code was written for. An engine that knows a later one is asked for this one."""

CONSOLE_SIZE_SINCE = (1, 42)
"""From this version on, the engine creates a pty with the right size at once."""

OLDEST_API = "1.24"
"""The version assumed for an engine that reports none."""

VERSION = re.compile(r"([0-9]{1,3})\.([0-9]{1,3})")

UNCHANGED = 304
"""The status for starting a container that is already running, which is not an error."""

STREAM_STATUSES = (101, 200)
"""The statuses with which an engine hands a connection over; the second is that of old engines, and of podman."""

KEPT_ANSWER_TIMEOUT = KEEPALIVE_TIMEOUTS.ping_timeout
"""Seconds for an answer to begin over a kept connection, which a router on the way may have forgotten."""


class EngineError(Exception):
    """The engine refused: the HTTP status, and its message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message


class NoAnswer(Exception):
    """There was no answer over a kept connection."""


class Engine:
    """The engine at one endpoint. `is_remote` if it is reached over a network."""

    def __init__(self, endpoint: EngineEndpoint, environment: Mapping[str, str]) -> None:
        self.endpoint = endpoint
        self.is_remote = endpoint.is_remote
        self.heard = 0.0
        """When the engine was last heard from, by clock.elapsed, which continues while the machine sleeps."""
        self._environment = environment
        self._kept = KeptStreams()
        self.answered: Callable[[], None] = lambda: None
        """Called when an answer has arrived over a connection that existed before."""
        self._version: tuple[int, int] | None = None

    @property
    def version(self) -> tuple[int, int]:
        """The version of the API that both sides support. Raises ConnectError."""
        if self._version is None:
            head, _ = self._exchange("GET", f"{self.endpoint.prefix}/_ping", None, {}, ANSWER_TIMEOUT)
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
        patience: float | None = None,
    ) -> EngineAnswer:
        """Send a request, and return the JSON in the answer; null if it has no body. All of it has to arrive in time.

        If a kept connection ends, or no answer begins within `patience` seconds, the request is sent again over a new
        one. So is every GET and HEAD. Raises EngineError, ConnectError.
        """
        if patience is None and method in ("GET", "HEAD"):
            patience = KEPT_ANSWER_TIMEOUT
        head, data = self._exchange(method, self._path(path, query), body, fields or {}, timeout, patience)
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
        """Send a POST request, and return the answer's body as it arrives. Raises EngineError, ConnectError, and
        TimeoutError.

        `pieces` are the body of the request, as described by `fields`.
        """
        wire = dial(self.endpoint, self._environment)
        exchange = Exchange(wire, self._note)
        try:
            data = request("POST", self._path(path, query), None, fields)
            head, rest = exchange.begin(data, Deadline(timeout), pieces)
            body = BodyDecoder(head)
            if head.status >= 300:
                _check(head, exchange.finish(body, rest, Deadline(timeout)))
            yield body.receive(rest)
            while not body.complete:
                yield exchange.more(body, Deadline(timeout))
        except TimeoutError:
            raise
        except (OSError, HttpError) as error:
            raise self._confused(error) from None
        finally:
            wire.close()

    def watch(self, path: str, query: Mapping[str, object]) -> EngineStream:
        """Send a GET request; the result is the connection with its raw HTTP answer. Raises ConnectError, OSError."""
        wire = dial(self.endpoint, self._environment)
        wire.send(request("GET", self._path(path, query), None, {}))
        return wire

    def hijack(self, path: str, body: object, query: Mapping[str, object] | None = None) -> HijackedStream:
        """Send a POST request, and take the connection over. Raises EngineError, ConnectError."""
        wire = dial(self.endpoint, self._environment)
        exchange = Exchange(wire, self._note)
        try:
            fields = {"Connection": "Upgrade", "Upgrade": "tcp"}
            end = Deadline(ANSWER_TIMEOUT)
            head, rest = exchange.begin(request("POST", self._path(path, query), body, fields), end)
            if head.status not in STREAM_STATUSES:
                _check(head, exchange.finish(BodyDecoder(head), rest, end))
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
        """Whether every kept connection is waiting for an answer."""
        return self._kept.all_wait

    def cut(self) -> None:
        """Stop all waiting for answers."""
        self._kept.cut()

    def close(self) -> None:
        """Close the idle connections, and keep no others."""
        self._kept.close()

    def _path(self, path: str, query: Mapping[str, object] | None) -> str:
        major, minor = self.version
        return f"{self.endpoint.prefix}/v{major}.{minor}{path}" + (f"?{urlencode(query)}" if query else "")

    def _exchange(
        self,
        method: str,
        path: str,
        body: object,
        fields: Mapping[str, str],
        timeout: float | None,
        patience: float | None = None,
    ) -> tuple[ResponseHead, bytes]:
        data, is_head = request(method, path, body, fields), method == "HEAD"
        if kept := self._kept.take():
            try:
                found = self._ask_over(kept, data, is_head, timeout, patience)
            except NoAnswer:
                self._kept.drop()  # the others are older
            else:
                self.answered()
                return found
        return self._ask_over(dial(self.endpoint, self._environment), data, is_head, timeout, None)

    def _ask_over(
        self, wire: EngineStream, data: bytes, is_head: bool, timeout: float | None, patience: float | None
    ) -> tuple[ResponseHead, bytes]:
        """The answer, after which the connection is kept.

        Raises NoAnswer if none begins within `patience` seconds, unless that is None; and ConnectError.
        """
        end = Deadline(timeout)
        exchange = Exchange(wire, self._note)
        try:
            with self._kept.waiting(wire):
                head, rest = self._first(exchange, data, end, patience)
                if head.status == 101:
                    raise HttpError("it started a stream that was not requested")
                content = exchange.finish(BodyDecoder(head, absent=is_head), rest, end)
        except (OSError, HttpError) as error:
            raise self._confused(error) from None
        if head.keeps_alive:
            self._kept.add(wire)
        else:
            wire.close()
        return head, content

    def _first(
        self, exchange: Exchange, data: bytes, end: Deadline, patience: float | None
    ) -> tuple[ResponseHead, bytes]:
        """The head of the answer; see `_ask_over`. An engine on this machine may be slow, but is never unreachable."""
        if patience is None:
            return exchange.begin(data, end)
        try:
            return exchange.begin(data, Deadline(patience) if self.is_remote else end)
        except (OSError, Unanswered) as error:
            if self._kept.is_cut or (isinstance(error, TimeoutError) and not self.is_remote):
                raise
            raise NoAnswer from None

    def _note(self) -> None:
        self.heard = clock.elapsed()

    def _confused(self, error: Exception) -> ConnectError:
        why = "no response in time" if isinstance(error, TimeoutError) else reason(error)
        what = f"the Docker engine at `{self.endpoint.name}` did not send a valid HTTP response"
        return ConnectError(what, why, answer.ADVICE)


def _check(head: ResponseHead, data: bytes) -> None:
    """Raise EngineError if the answer is an error."""
    if head.status >= 300 and head.status != UNCHANGED:
        raise EngineError(head.status, answer.message(data) or f"status {head.status}")
