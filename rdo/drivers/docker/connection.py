"""An open connection to one container. Knows how long the engine may be silent, but not how programs are started."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from rdo.config.forwards import Endpoint
from rdo.drivers.base import NO_VARIABLES, Pty
from rdo.drivers.docker import container_events
from rdo.drivers.docker.channel import DockerChannel
from rdo.drivers.docker.container import inspect, not_up, why_down
from rdo.drivers.docker.container_events import ContainerEvents
from rdo.drivers.docker.container_watch import ContainerWatch, RemoteContainerWatch
from rdo.drivers.docker.engine import Engine, EngineError
from rdo.drivers.docker.inspect import ContainerState, InspectedContainer
from rdo.drivers.docker.program_stream import ProgramStream
from rdo.drivers.docker.spare_programs import SparePrograms
from rdo.drivers.docker.stream import HijackedStream
from rdo.drivers.keepalive import SignOfLife
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from rdo.drivers.target_stream import IncomingStream, RemoteListener, Sink
from rdo.errors import ConnectError, LinkLost, SetupError
from rdo.util import threads
from rdo.util.threads import Workers

LIVENESS_TIMEOUT = 3.0
"""Seconds for the engine to report whether the container is running."""

ANSWER_TIMEOUT = KEEPALIVE_TIMEOUTS.dead_after + KEEPALIVE_TIMEOUTS.ping_timeout
"""Seconds to wait for a sign of life over an existing connection. A new one might answer, and would not show whether
the connections of running programs still work."""

STREAM_END_INTERVAL = 0.01
"""Seconds between two checks whether all streams have ended."""


class ProgramStarter(Protocol):
    """How programs are started: by exec, or each in a new container."""

    def start(self, command: str, pty: Pty | None, variables: Mapping[str, str]) -> DockerChannel:
        """Start `/bin/sh -c command`. Raises EngineError, ConnectError."""

    def start_stream(self, command: str) -> HijackedStream:
        """Start the same without a pty, and return only the connection to its streams. Raises EngineError,
        ConnectError."""

    def refused(self, message: str) -> ConnectError:
        """The error for the engine's message that it could not start /bin/sh."""


class DockerConnection:
    """The Connection of rdo.drivers.base. `release` is called once at the end."""

    runs_sh = True
    leads_process_group = True

    def __init__(
        self,
        engine: Engine,
        container: str,
        name: str,
        programs: ProgramStarter,
        release: Callable[[], None],
        *,
        resumes: bool = True,
        began: str = "",
    ) -> None:
        """`resumes`: a command that finds the container paused continues it. `began`: since when the container has been
        running."""
        self._engine = engine
        self._container = container
        self._name = name
        self._programs = programs
        self._release = release
        self._resumes = resumes
        self._not_up = partial(not_up, name, began, resumes)
        self._channels: list[DockerChannel] = []
        self._streams: set[ProgramStream] = set()
        self._opener = Workers("open")
        self._spares = SparePrograms(programs.start_stream)
        self._lock = threading.Lock()
        """Guards `_channels` and `_streams`; `_closed` is set with it held."""
        self._closed = False
        self._asking = threading.Lock()
        """Held while the engine is asked whether the container is running, so that there is only one such request."""
        self._sign = SignOfLife()
        engine.answered = self._sign.note
        self._remote = RemoteContainerWatch(self._sign, self._ask, self._cut, name) if engine.is_remote else None
        events = ContainerEvents(None) if engine.is_remote else container_events.subscribe(engine, container)
        self._watch = ContainerWatch(self._inspected, lambda: engine.heard, events, name)
        self.keepalive = self._remote or self._watch

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> DockerChannel:
        """See base.Connection."""
        if self._closed or self.keepalive.ended:
            raise self._lost("the connection is closed")
        try:
            channel = self._start(command, pty, variables)
        except EngineError as error:
            raise self._refused(error.message) from None
        except ConnectError as error:
            raise self._lost(error.why or error.what) from None
        if not self._keep(channel):
            channel.close()
            raise self._lost("the connection has been closed in the meantime")
        return channel

    def _start(self, command: str, pty: Pty | None, variables: Mapping[str, str]) -> DockerChannel:
        """Start a program, after continuing a paused container if necessary. Raises EngineError, ConnectError."""
        try:
            channel = self._programs.start(command, pty, variables)
        except EngineError:
            if not (self._resumes and self._watch.is_wanted and self._is_paused()):
                raise
            self._engine.ask("POST", f"/containers/{self._container}/unpause")
            channel = self._programs.start(command, pty, variables)
        self._watch.is_wanted = False
        return channel

    def _refused(self, message: str) -> ConnectError | LinkLost:
        """The error for the engine's message that it could not start /bin/sh, depending on the container's state."""
        state = self._state()
        return self._lost(message) if state is None else self._not_up(state) or self._programs.refused(message)

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> ProgramStream:
        """See base.Connection."""
        stream = ProgramStream(destination, self._spares.take, changed)
        with self._lock:
            if self._closed or self.keepalive.ended:
                raise self._lost("the connection is closed")
            self._streams = {*(other for other in self._streams if not other.ended), stream}
        try:
            self._opener.submit(partial(self._open, stream))
        except SetupError as error:
            raise self._lost(str(error)) from None
        return stream

    def _open(self, stream: ProgramStream) -> None:
        stream.open()
        if stream.is_open:  # more are likely to follow
            self._spares.refill()

    def listen(self, at: Endpoint, accept: Callable[[IncomingStream], None]) -> RemoteListener:
        """See base.Connection. An engine cannot do that."""
        hint = "a container reaches this machine as `host.docker.internal`, or by its gateway"
        raise SetupError(f"`{self._name}` cannot listen on `{at}`", "only ssh and vagrant have reverse forwards", hint)

    def _keep(self, channel: DockerChannel) -> bool:
        channel.is_cut = partial(self._is_cut, channel)
        channel.heard = self._sign.note
        channel.refused, channel.why_down = self._refused, partial(why_down, self._state, self._not_up)
        channel.check_progress = self._check_progress
        with self._lock:
            self._channels = [*(other for other in self._channels if not other.closed), channel]
            return not self._closed

    def _is_cut(self, channel: DockerChannel, timeout: float) -> bool:
        """Whether all other streams have ended with this one: one of them is the lifeline's, which ends with the link.

        Streams opened after the first of these ends do not count, since the engine may be reachable again. If some have
        ended, the others have so many seconds.
        """
        with self._lock:
            others = [other for other in self._channels if other is not channel and not other.closed]
        first_end = min(each.streams_ended for each in (channel, *others))
        before = [other for other in others if other.opened < first_end]
        deadline = time.monotonic() + timeout
        while (ended := [other.ended for other in before]) and any(ended) and not all(ended):
            if time.monotonic() >= deadline:
                break
            time.sleep(STREAM_END_INTERVAL)
        return bool(ended) and all(ended)

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"`{self._name}` no longer exists", why)

    def _inspected(self) -> InspectedContainer | None:
        """The state of the container, if the engine reports it in time; None if the container is gone."""
        try:
            return inspect(self._engine, self._container, LIVENESS_TIMEOUT)
        except (EngineError, ConnectError):
            return None

    def _state(self) -> ContainerState | None:
        return found.state if (found := self._inspected()) is not None else None

    def _is_paused(self) -> bool:
        return (state := self._state()) is not None and state.paused

    def _check_progress(self) -> None:
        """Raise LinkLost if programs in the container cannot continue at present."""
        if self._is_paused():
            why = "the command gets the signal when it goes on"
            raise LinkLost(f"`{self._name}` is paused", why, f"`docker unpause {self._name}`")

    def _ask(self) -> None:
        """Ask an engine that may not answer, in a thread that waits in our place; unless another thread does
        already."""
        if not self._engine.owes_answer and self._asking.acquire(blocking=False):
            try:
                threads.start(self._await_answer, name="rdo-ping")
            except SetupError:  # the next one may go
                self._asking.release()

    def _await_answer(self) -> None:
        try:
            found = inspect(self._engine, self._container, ANSWER_TIMEOUT, patience=ANSWER_TIMEOUT)
            if self._remote is not None:
                self._remote.name = found.name
            self._sign.note()
            is_gone = not found.state.runs or found.state.paused
        except EngineError:
            is_gone = True
        except ConnectError:
            is_gone = False  # silence says enough
        finally:
            self._asking.release()
        if is_gone:
            self.keepalive.stop()

    def _cut(self, why: str) -> None:
        """End everything that runs over a link that does not answer."""
        self._engine.cut()
        with self._lock:
            channels, streams = list(self._channels), list(self._streams)
        for channel in channels:
            channel.cut(why)
        for stream in streams:
            stream.cut(why)

    def close(self) -> None:
        """See base.Connection."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self.keepalive.stop()
            channels, self._channels = self._channels, []
        for channel in channels:
            channel.close()
        for stream in self._streams:
            stream.cut("the connection was closed")
        self._spares.close()
        self._release()
        self._engine.close()
