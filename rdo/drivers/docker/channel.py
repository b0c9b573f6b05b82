"""One program in a container: its streams over a connection that the engine has handed over. Sends no requests
itself."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from rdo.drivers.base import STDOUT, Chunk, WindowSize
from rdo.drivers.docker.answer import ADVICE, brief
from rdo.drivers.docker.demux import FrameDecoder, FrameError
from rdo.drivers.docker.program import DockerProgram, IsCut
from rdo.drivers.docker.stream import HijackedStream
from rdo.drivers.target_stream import Sink
from rdo.errors import LinkLost, RdoError
from rdo.util import threads

FAILED_TO_START = (126, 127)
"""Exit statuses that mean that the engine could not start the program."""

KILLED = (128 + 15, 128 + 9)
"""Exit statuses of a program that ended with its container."""

SAFE_OUTPUT_LIMIT = 4 * 1024
"""Bytes of unread output that are safe: the engine closes the streams 2 seconds after the program's end, so that a slow
reader could lose the rest. Each socket on the way to the user holds as many."""

EXIT_CHECK_INTERVAL = 0.4
"""Seconds between two checks whether a program has ended while nobody reads its output; a fraction of those 2
seconds."""

UNREAD_LIMIT = 8 * 1024 * 1024
"""Most bytes that are kept then: more than engine and kernel can hold."""


class DockerChannel:
    """The Channel of rdo.drivers.base. Without a pty, the two streams are framed; a pty has a single stream without
    frames."""

    def __init__(self, stream: HijackedStream, program: DockerProgram, *, pty: bool) -> None:
        self._wire = stream.wire
        self._program = program
        self._frames = None if pty else FrameDecoder()
        self._is_invalid = False
        """Whether a frame of an unknown kind has arrived."""
        self._has_written = False
        self._chunks = deque(self._decode(stream.early))
        self._first = bytes(self._chunks[0].data) if self._chunks else b""
        self._reading = threading.Lock()
        """Held by the one thread that receives. Guards `_chunks`, `_size`, `_first` and the decoder."""
        self._size = 0
        self._watch: threading.Thread | None = None
        self.is_cut: IsCut = lambda timeout: False
        self.heard: Callable[[], None] = lambda: None
        """Called when output arrives."""
        self.refused: Callable[[str], RdoError] = lambda message: LinkLost("cannot start /bin/sh", message)
        """The error for the engine's message that it could not start the program."""
        self.why_down: Callable[[], RdoError | None] = lambda: None
        """The error if nothing can be started at present, because the container is not running, or was restarted."""
        self.check_progress: Callable[[], None] = lambda: None
        """Raises LinkLost if the program can neither continue nor end at present."""
        self._cut_reason = ""
        self._fault: BaseException | None = None
        """An unexpected error."""
        self.opened = time.monotonic()
        self.streams_ended = math.inf
        """When the streams ended, by time.monotonic(), like `opened`."""
        self._over = threading.Event()
        """Set once the streams have ended or the channel is closed. Ends the thread `rest`."""
        self._at_end = False
        self._input_ended = False
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether the channel was closed on this side."""
        return self._closed

    @property
    def ended(self) -> bool:
        """See base.Channel. Data that has arrived is kept for reading."""
        if not self._at_end and self._reading.acquire(blocking=False):
            try:
                if sum(len(chunk.data) for chunk in self._chunks) < SAFE_OUTPUT_LIMIT:
                    self._receive(0.0)
            except TimeoutError:
                pass
            finally:
                self._reading.release()
        return self._at_end

    def has_exited(self) -> bool:
        """See base.Channel."""
        if self._at_end or not self._program.runs():
            return True
        self.check_progress()
        return False

    def write(self, data: bytes | memoryview) -> None:
        """See base.Channel. What cannot be sent is dropped: the program has ended, or its exit status will explain
        it."""
        self._has_written = True
        self._send(data)

    def write_first(self, data: bytes) -> None:
        """See base.Channel: an empty socket has room for a little. This does not show whether the program was
        started."""
        self._send(data)

    def _send(self, data: bytes | memoryview) -> None:
        if self._input_ended:
            return
        try:
            self._wire.send(bytes(data))
        except OSError:
            self._input_ended = True

    def try_write(self, data: bytes | memoryview) -> bool:
        """See base.Channel."""
        return False

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """See base.Channel."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._reading:
            self._await_output(deadline)
            return self._chunks.popleft() if self._chunks else None

    def _await_output(self, deadline: float | None) -> None:
        """Wait for output. Raises TimeoutError, even if empty frames keep arriving."""
        begun = False
        while not self._chunks and not self._at_end:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if left == 0.0 and begun:
                raise TimeoutError
            self._receive(left)
            begun = True

    def _receive(self, timeout: float | None) -> None:
        data = b"" if self._closed or self._is_invalid else self._wire.receive(timeout)
        if data:
            self.heard()
        self._chunks.extend(self._decode(data))
        self._size += len(data)
        if not data or self._is_invalid:
            self.streams_ended = min(self.streams_ended, time.monotonic())
            self._at_end = True
            self._over.set()
        elif self._watch is None and self._size > SAFE_OUTPUT_LIMIT:
            self._watch = threads.start(self._look_after, name="rest", broken=self._give_up)
        if not self._first and self._chunks:
            self._first = bytes(self._chunks[0].data)

    def _give_up(self, error: BaseException) -> None:
        """End with an error in place of the status, since some output may be lost."""
        self._fault = error
        self._at_end = True
        self._over.set()
        self._wire.close()

    def _look_after(self) -> None:
        """While nobody reads, make sure that no output is lost when the program ends."""
        while not self._over.wait(EXIT_CHECK_INTERVAL):
            if self._reading.locked() or self._program.runs():
                continue
            with self._reading:
                while not self._at_end and sum(len(chunk.data) for chunk in self._chunks) < UNREAD_LIMIT:
                    self._receive(None)

    def _decode(self, data: bytes) -> list[Chunk]:
        if self._frames is not None:
            try:
                return self._frames.receive(data)
            except FrameError:
                self._is_invalid = True
                return []
        return [Chunk(STDOUT, data)] if data else []

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        """See base.Channel."""
        return False

    def end_input(self) -> None:
        """See base.Channel. A pty has no end of input."""
        if self._input_ended or self._frames is None:
            return
        self._input_ended = True
        try:
            self._wire.end_output()
        except OSError:
            return  # the program has ended

    def stop_reading(self) -> bool:
        """See base.Channel. The engine keeps reading whatever we do."""
        return False

    def resize(self, size: WindowSize) -> None:
        """See base.Channel."""
        if self._frames is None:
            self._program.resize(size)

    def exit_status(self) -> int:
        """See base.Channel. Raises ConnectError if there is no such program."""
        if self._fault is not None:
            raise self._fault
        if self._is_invalid:
            raise LinkLost("invalid stream from the Docker engine", "it contains a frame of an unknown kind", ADVICE)
        if self._cut_reason:
            raise LinkLost("the Docker engine does not answer", self._cut_reason)
        status = self._status()
        if status in FAILED_TO_START and not self._program.started and not self._has_written:
            # the output is the engine's own message (podman, too, has no process for a program that has ended)
            raise self.refused(brief(self._first.decode(errors="replace")))
        return status

    def _status(self) -> int:
        """The status, or the error from its container, which says more than its streams. Raises RdoError."""
        try:
            status = self._program.status(self.is_cut)
        except LinkLost as lost:
            if (why := self.why_down()) is None:
                raise
            raise (LinkLost(lost.what, why.what) if self._has_written else why) from None
        if status in (*KILLED, *FAILED_TO_START):
            self._check_start()
        return status

    def _check_start(self) -> None:
        if not self._has_written and (why := self.why_down()) is not None:
            raise why from None

    def cut(self, why: str) -> None:
        """Close the streams, since the engine cannot be reached."""
        self._cut_reason = why
        self._wire.close()

    def close(self) -> None:
        """See base.Channel."""
        if not self._closed:
            self._closed = True
            self._over.set()
            self._wire.close()
            self._program.discard()
            if self._watch is not None:
                self._watch.join()
