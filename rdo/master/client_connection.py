"""The master's end of a control connection: frames in and out, and the caller that a driver may ask. No decisions."""

from __future__ import annotations

import contextlib
import select
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from rdo import plan
from rdo.drivers.caller import CallerGone
from rdo.errors import RdoError, one_line, printable
from rdo.fscodec import fsdecode
from rdo.ipc import peercred as peer
from rdo.ipc import protocol, sockets
from rdo.ipc.request import Request
from rdo.master.progress import Progress
from rdo.util import charset, log

READ_SIZE = 256 * 1024


class ClientGone(CallerGone):
    """The client has gone away."""


class ClientConnection:
    """A control connection. Sending is safe from any thread; receiving belongs to one."""

    def __init__(self, connection: socket.socket, log_path: str = "") -> None:
        """`log_path`: the master's log, for the message about an unexpected error."""
        self._connection = connection
        self._log_path = log_path
        self._decoder = protocol.Decoder()
        self._frames: list[protocol.Frame] = []
        self._sending = threading.Lock()
        """Guards the order of frames: one is sent at a time."""
        self._room = select.poll()
        self._room.register(connection, select.POLLOUT)
        self._arrival = select.poll()
        self._arrival.register(connection, select.POLLIN)

    @property
    def peer(self) -> int:
        """The client's process id; 0 if it is unknown."""
        return peer.pid(self._connection) or 0

    def send(self, kind: bytes, payload: bytes | memoryview = b"") -> None:
        """Send a frame; wait while the client does not read. Raises ClientGone."""
        try:
            with self._sending:
                sockets.send(self._connection, kind, payload)
        except OSError:
            raise ClientGone from None

    def offer(self, kind: bytes, payload: bytes | memoryview) -> bool:
        """Send a frame of 256 KiB at most if that needs no waiting: whether it was sent. Raises ClientGone.

        Only Linux reports that: a Unix socket is writable there once three quarters of its buffer are free.
        """
        if sys.platform != "linux" or not self._sending.acquire(blocking=False):
            return False
        try:
            if not self._room.poll(0):
                return False
            sockets.send(self._connection, kind, payload)
        except OSError:
            raise ClientGone from None
        finally:
            self._sending.release()
        return True

    def fail(self, error: BaseException) -> None:
        """Send the error as the last frame, if the client is still there. An unexpected error is logged, too."""
        with contextlib.suppress(ClientGone):
            self.send(protocol.FAILED, protocol.encode_failure(self._shown(error)))

    def break_off(self, error: BaseException) -> None:
        """Send the error as the last frame, if that needs no waiting, and end the connection."""
        failure = protocol.encode_failure(self._shown(error))
        if self._sending.acquire(blocking=False):
            try:
                if self._room.poll(0):
                    sockets.send(self._connection, protocol.FAILED, failure)
            except OSError:
                pass  # the client has gone
            finally:
                self._sending.release()
        self._shut_down()

    def _shown(self, error: BaseException) -> RdoError:
        if isinstance(error, RdoError):
            return error
        log.crash(error)
        return log.explain_crash(error, self._log_path)

    @property
    def has_gone(self) -> bool:
        """Whether the client has ended the connection, and sent nothing before that is still to be received.

        From any thread, while another receives: one that waits has the other object of poll(2) for itself.
        """
        arrival = select.poll()
        try:
            arrival.register(self._connection, select.POLLIN)
            return bool(arrival.poll(0)) and not self._connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def receive(self) -> protocol.Frame:
        """The next frame. Raises ClientGone, ProtocolError."""
        while not self._frames:
            try:
                data = self._connection.recv(READ_SIZE)
            except OSError:
                data = b""
            if not data:
                raise ClientGone
            self._frames = self._decoder.receive(data)
        return self._frames.pop(0)

    def await_frame(self, timeout: float) -> None:
        """Wait so many seconds at most until something comes, if only the end."""
        if not self._frames:
            self._arrival.poll(timeout * 1000)

    def frames(self) -> Iterator[protocol.Frame]:
        """All frames to the end of the connection."""
        while True:
            try:
                yield self.receive()
            except ClientGone:
                return

    def close(self) -> None:
        """End the connection; a thread that waits in it wakes up."""
        self._shut_down()
        self._connection.close()

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)


class WaitingCaller:
    """The caller of a command that is not yet started: see drivers.caller.Caller."""

    def __init__(self, client: ClientConnection, request: Request, user: str = "") -> None:
        self._client = client
        self._request = request
        self.user = user
        self._progress = Progress(self._show)

    def __enter__(self) -> WaitingCaller:
        return self

    def __exit__(self, *_: object) -> None:
        """Show no more progress."""
        self._progress.end()

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """See Caller."""
        return {**dict(plan.pairs(self._request.environ)), "PWD": fsdecode(self._request.pwd)}

    @property
    def process(self) -> int:
        """See Caller."""
        return self._client.peer

    def ask(self, question: str, *, echo: bool) -> str | None:
        """See Caller. Raises ClientGone."""
        self._progress.end()  # while somebody types, nothing else is written there
        self._progress = Progress(self._show)
        return self._prompt((b"1" if echo else b"0") + self._spelled(question))

    def _prompt(self, payload: bytes) -> str | None:
        self._client.send(protocol.PROMPT, payload)
        kind, answer = self._client.receive()
        if kind != protocol.ANSWER:
            raise protocol.ProtocolError("the question was not answered")
        return fsdecode(bytes(answer[1:])) if answer[:1] == b"1" else None

    def screen(self) -> tuple[int, int] | None:
        """See Caller. Raises ClientGone."""
        rows, _, columns = (self._prompt(b"w") or "").partition(" ")
        return (int(rows), int(columns)) if rows.isdigit() and columns.isdigit() else None

    def report(self, line: str) -> None:
        """See Caller. Raises ClientGone."""
        shown = one_line(line) if line.startswith("rdo: ") else printable(line)  # a server's banner may be a drawing
        self._client.send(protocol.NOTICE, self._spelled(shown))

    def trace(self, line: str) -> None:
        """See Caller. Raises ClientGone."""
        if self._request.verbose:
            self.report(f"rdo: {line}")

    def progress(self, step: str) -> bool:
        """See Caller. Raises ClientGone."""
        if self._progress.over or self._client.has_gone:
            raise ClientGone
        if not self._request.progress:
            return False
        self._progress.step(f"rdo: {one_line(step)}")
        return True

    def _spelled(self, text: str) -> bytes:
        """As bytes that the caller's terminal takes for text."""
        return charset.escaped_for_terminal(text, self.environment).encode("utf-8", "replace")

    def _show(self, line: str) -> bool:
        try:
            self._client.send(protocol.PROGRESS, self._spelled(line))
        except ClientGone:
            return False
        return True


class CommandEnded(CallerGone):
    """The command has ended for which something was done."""


class StartedCaller(WaitingCaller):
    """The caller of a command that was started, while something is done that it waits for: nothing is asked or shown
    but what is reported.
    """

    def __init__(self, client: ClientConnection, request: Request, user: str, has_ended: Callable[[], bool]) -> None:
        super().__init__(client, request, user)
        self._has_ended = has_ended

    def ask(self, question: str, *, echo: bool) -> str | None:
        """See Caller."""
        return None

    def screen(self) -> tuple[int, int] | None:
        """See Caller."""
        return None

    def progress(self, step: str) -> bool:
        """See Caller. Raises ClientGone, CommandEnded."""
        if self._has_ended():
            raise CommandEnded
        if self._client.has_gone:
            raise ClientGone
        return False
