"""A connection to a server in a container, by a program there: the TargetStream of rdo.drivers.target_stream."""

from __future__ import annotations

import threading
from collections.abc import Callable

from rdo.config.forwards import Endpoint
from rdo.drivers.base import STDOUT
from rdo.drivers.docker.answer import brief
from rdo.drivers.docker.demux import FrameDecoder, FrameError
from rdo.drivers.docker.engine import EngineError
from rdo.drivers.docker.spare_programs import StreamProgram
from rdo.drivers.docker.stream import EngineStream
from rdo.drivers.docker.stream_script import (
    FAILED,
    FRAMED,
    HEAD_SIZE,
    MISSING,
    NO_PROGRAM,
    RAW,
    Unframer,
    destination_lines,
)
from rdo.errors import ConnectError
from rdo.util import log

CONNECT_TIMEOUT = 30.0
"""Seconds for the engine to start a program, and for that to connect."""

DRAIN_TIMEOUT = 2.0
"""Seconds for a program with nothing left to do to exit."""

WORDS_LIMIT = 256
"""Bytes of the program's error messages that are kept."""


class ProgramStream:
    """See TargetStream."""

    def __init__(
        self, destination: Endpoint, take_program: Callable[[], StreamProgram], changed: Callable[[], None]
    ) -> None:
        """Nothing happens before `open`."""
        self._destination = destination
        self._take_program = take_program
        self._changed = changed
        self._wire: EngineStream | None = None
        """Set once the program has connected, or failed to."""
        self._found = b""
        """Data from the server that was not read yet."""
        self._frames = FrameDecoder()
        self._nonce = b""
        self._unframer = Unframer()
        self._has_ended = False
        """Whether the server has ended its direction."""
        self._words = b""
        self._kind = b""
        """How the program accepts data for the server; see FRAMED. Empty until it is connected."""
        self._owed = memoryview(b"")
        """The unsent part of a frame's header."""
        self._ends = False
        self._frame_left = 0
        """Bytes left of a frame whose header was sent."""
        self._lock = threading.Lock()
        """Guards the transition from opening to open or closed."""
        self._is_closed = False
        self.ended = False
        self.failure = ""

    def open(self) -> None:
        """Start the program, and wait until it has connected. May be called in any thread."""
        try:
            self._connect()
        except BaseException as error:
            self.cut(log.words(error))
            raise

    def _connect(self) -> None:
        try:
            program = self._take_program()
            self._nonce = program.nonce.encode()
            program.stream.wire.send(destination_lines(self._destination))
        except (EngineError, ConnectError, OSError) as error:
            self.cut(error.message if isinstance(error, EngineError) else str(error))
            return
        stream = program.stream
        data = stream.early
        try:
            while not self._take(data or stream.wire.receive(CONNECT_TIMEOUT)):
                data = b""
        except TimeoutError:
            self.failure = f"no answer within {CONNECT_TIMEOUT:.0f} s"
        with self._lock:
            if not self._is_closed:
                self._wire = stream.wire
        if self._wire is None:
            stream.wire.close()
        self._changed()

    def cut(self, why: str) -> None:
        """Note that the connection is lost, or could not be made. Thread-safe."""
        self.failure = self.failure or why or "the connection broke"
        self.ended = True
        self._changed()

    @property
    def is_open(self) -> bool:
        """See TargetStream."""
        return self._wire is not None and bool(self._kind)

    def fileno(self) -> int:
        """See TargetStream."""
        return self._wire.fileno() if self._wire else -1

    def write(self, data: memoryview) -> int:
        """See TargetStream."""
        if self._has_ended:
            self._look_again()
        if self.ended:
            return len(data)
        if self._wire is None:
            return 0
        try:
            if self._kind == RAW:
                return self._wire.send_now(data)
            return self._write_frame(self._wire, data)
        except OSError:
            self.ended = True  # reading reports why
            return len(data)

    def _look_again(self) -> None:
        """After the server has ended its direction, find out whether it also accepts no more data."""
        try:
            data = self._wire.receive(0.0) if self._wire is not None else b""
            self.ended = not data or any(self._nonce in chunk.data for chunk in self._frames.receive(data))
        except TimeoutError:
            pass
        except FrameError:
            self.ended = True

    def _write_frame(self, wire: EngineStream, data: memoryview) -> int:
        """Send a frame, or continue one. Data without room has to be passed again. Raises OSError."""
        if not self._frame_left:
            self._frame_left = len(data)
            self._owed = memoryview(len(data).to_bytes(HEAD_SIZE, "big"))
        if not self._flush(wire):
            return 0
        size = wire.send_now(data[: self._frame_left])
        self._frame_left -= size
        return size

    def _flush(self, wire: EngineStream) -> bool:
        """Send what is left of a header, and return whether everything was sent. Raises OSError."""
        if self._owed:
            self._owed = self._owed[wire.send_now(self._owed) :]
        return not self._owed

    def flush(self) -> None:
        """See TargetStream."""

    def read(self) -> bytes | None:
        """See TargetStream."""
        while self._wire is not None and not self._found and not self._is_over:
            try:
                self._take(self._wire.receive(0.0))
            except TimeoutError:
                break
        found, self._found = self._found, b""
        return found if found or not self._is_over else None

    @property
    def _is_over(self) -> bool:
        return self._has_ended or bool(self.failure)

    def _take(self, data: bytes) -> bool:
        """Process what has arrived, and return whether the program has connected, or never will."""
        if not data:
            self.failure = self.failure or "the connection broke"
        try:
            for chunk in self._frames.receive(data):
                if chunk.stream == STDOUT:
                    self._take_output(bytes(chunk.data))
                else:
                    self._words = (self._words + bytes(chunk.data))[-WORDS_LIMIT:]
        except FrameError:
            self.failure = "the Docker engine sent a frame of an unknown kind"
        if not self._is_over:
            self._heed(self._words)
        return bool(self._kind) or self._is_over

    def _take_output(self, data: bytes) -> None:
        if not self._kind:
            self._kind, data = data[:1], data[1:]
        if self._kind == FRAMED:
            self._found += self._unframer.receive(data)
            self._has_ended = self._unframer.has_ended
        else:
            self._found += data

    def _heed(self, words: bytes) -> None:
        """Whether the program has reported its end, and how it ended."""
        said, nonce, digit = words.partition(self._nonce)
        if not nonce or not digit:
            return
        if self._kind == RAW and self._wire is not None:
            self._drain(self._wire)
        if digit == MISSING:
            self.failure = NO_PROGRAM
        elif digit == FAILED:
            self.failure = brief(said.decode(errors="replace")) or "the server cannot be reached"
        self._has_ended = True

    def _drain(self, wire: EngineStream) -> None:
        """Let the program exit, and read what is still on its way: stderr may overtake stdout, but not by much."""
        try:
            wire.end_output()
            while data := wire.receive(DRAIN_TIMEOUT):
                for chunk in self._frames.receive(data):
                    self._found += bytes(chunk.data) if chunk.stream == STDOUT else b""
        except (OSError, FrameError):
            self.failure = self.failure or "the connection broke"

    def end_input(self) -> bool:
        """See TargetStream."""
        if self.ended:
            return True
        if self._wire is None:
            return False
        try:
            if self._kind == RAW:
                self._wire.end_output()
                return True
            if not self._ends:
                self._ends, self._owed = True, memoryview(bytes(HEAD_SIZE))
            return self._flush(self._wire)
        except OSError:
            self.ended = True
            return True

    def close(self) -> None:
        """See TargetStream."""
        with self._lock:
            self._is_closed = True
        if self._wire is not None:
            self._wire.close()
