"""One channel of an SSH connection: opening, flow control, data both ways, and the end (RFC 4254, section 5).

What the server says of it comes by `receive`, from the thread that serves the connection. Knows nothing of programs.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from paramiko import common

from rdo.drivers.base import READ_SIZE, STDERR, STDOUT, Chunk, Sink
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel_data import OutgoingData, Sendable
from rdo.drivers.ssh.fields import Body, Violation
from rdo.drivers.ssh.receive_buffer import ReceiveBuffer
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost

WINDOW = 4 * 1024 * 1024
"""Bytes a target may send before they are read: what a slow reader costs in memory. On loopback 2 to 16 MiB are equally
fast; 4 MiB carry 80 MB/s over a round trip of 50 ms."""

OPEN_TIMEOUT = 60.0
"""Seconds for the server to open a channel: some run slow session hooks. A dead connection is found sooner."""

EXTENDED_STDERR = 1


class OpenRefused(Exception):
    """The server opens no such channel: its code for that, and its words."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class SshChannel:
    """Both ends of a channel. One lock guards its state, another keeps the order of what is sent."""

    def __init__(self, transport: SshTransport, target: str, done: Callable[[], None], window: int = WINDOW) -> None:
        """`done` is called once, when the server has closed the channel, refused it, or the connection has ended.

        `window`: bytes that may come before they are read.
        """
        self.number = -1
        self.window = window
        self._transport = transport
        self._target = target
        self._done: Callable[[], None] | None = done
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)  # the channel opens, its window, or it ends
        self._sending = threading.Lock()
        self._closed_here = False
        self._opened = False
        self._refusal: tuple[int, str] | None = None
        self._remote = self._room = self._packet = 0
        self._received = ReceiveBuffer(window // 4, window)
        self._why = ""
        self._ended_input = False
        self._closing = False  # by either side: no more goes out or comes in
        self._closed = False  # by both sides, or by the end of the connection
        self._broken = False  # by the end of the connection

    def wait_until_open(self, timeout: float = OPEN_TIMEOUT) -> None:
        """Wait for the server to open it. Raises Refused, LinkLost."""
        with self._lock:
            if not self._changed.wait_for(lambda: self._opened or self._closed, timeout):
                self._closing = True
                raise self._lost(f"it opened no channel within {timeout:.0f} s")
        if self._refusal is not None:
            raise OpenRefused(*self._refusal)
        if self._broken:
            raise self._lost(self._why)

    def write(self, data: bytes | memoryview) -> None:
        """Send all of it, as the server takes it; nothing once the channel has ended. Raises LinkLost."""
        view = memoryview(data)
        while view:
            size = self.write_some(view)
            if size is None:
                return
            view = view[size:]

    def write_some(self, data: memoryview, timeout: float | None = None) -> int | None:
        """Send what the server takes: how many bytes; None where it takes no more. Raises LinkLost, TimeoutError."""
        size = self._reserve(len(data), timeout)
        if size == 0:
            return None
        self._send(OutgoingData(self._remote, data[:size], self._packet))
        return size

    def offer(self, data: bytes | memoryview) -> bool:
        """See Channel in rdo.drivers.base."""
        with self._lock:
            if self._room < len(data) or self._ended_input or self._closing:
                return False
            self._room -= len(data)
        self._send(OutgoingData(self._remote, memoryview(data), self._packet))
        return True

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """See Channel in rdo.drivers.base."""
        while True:
            chunk, owed = self._received.read(timeout, sink)
            if owed:
                self._tell(messages.window_adjust(self._remote, owed))
            if chunk or not owed:
                return chunk

    def end_input(self) -> None:
        """Send no more."""
        with self._lock:
            if self._ended_input or self._closing:
                return
            self._ended_input = True
            self._changed.notify_all()
        self._tell(messages.end_of_input(self._remote))

    def close(self) -> None:
        """Give it up."""
        if not self._begin_to_close():
            return
        self._received.close(wanted=False)
        if self._opened:
            self._tell(messages.close(self._remote), last=True)

    # What follows is called by the connection.

    def adopt(self, opened: messages.RemoteEnd) -> None:
        """The far end. It is open."""
        with self._lock:
            self._remote, self._room, self._packet = opened
            self._opened = True
            self._changed.notify_all()

    def receive(self, kind: int, body: Body) -> None:
        """A message for this channel: its number, and what stands behind the channel's own. Raises Violation."""
        if self._opened == (kind in ANSWERS):
            self._reject(kind)
        _HANDLERS[kind](self, body)

    def lose(self) -> None:
        """The link has ended."""
        if not self._closed:
            self._broken = True
            self._why = self._why or self._transport.disconnect_reason or "the connection broke"
            self._finish()

    def _confirm(self, body: Body) -> None:
        self.adopt(messages.confirmation(body))
        if self._closing:  # given up while the server took its time
            self._tell(messages.close(self._remote), last=True)

    def _refuse(self, body: Body) -> None:
        self._refusal = messages.refusal(body)
        self._finish()

    def _widen(self, body: Body) -> None:
        with self._lock:
            self._room += messages.number(body)
            if self._room > messages.WINDOW_LIMIT:
                raise Violation("it asked for more input than a channel may take")
            self._changed.notify_all()

    def _arrive(self, body: Body) -> None:
        self._received.arrive(STDOUT, body)

    def _arrive_extended(self, body: Body) -> None:
        code, data = messages.extended_data(body)
        if code == EXTENDED_STDERR:
            self._received.arrive(STDERR, data)
        else:
            self._received.discard(len(data))

    def _answer(self, body: Body) -> None:
        """A request of the server."""
        self._reply_to_request(messages.request(body)[1])

    def _reply_to_request(self, wanted: bool) -> None:
        if wanted:  # as by sshd's question whether we are there (ClientAliveInterval): any answer will do
            self._tell(messages.failure(self._remote))

    def _succeed(self, body: Body) -> None:
        """A request of ours was granted: we made none."""

    def _fail(self, body: Body) -> None:
        """A request of ours was refused: we made none."""

    def _end_output(self, body: Body) -> None:
        self._received.end()
        self._transport.defer(self._received.notify_watcher)  # the exit status may be next

    def _end(self, body: Body) -> None:
        if self._begin_to_close():
            self._tell(messages.close(self._remote), last=True)
        self._finish(ended=True)

    # Inner workings.

    def _reject(self, kind: int) -> NoReturn:
        raise Violation(f"it sent message {kind} for a channel that is {'' if self._opened else 'not '}open")

    def _begin_to_close(self) -> bool:
        """Close one end; whether this was the first to do so."""
        with self._lock:
            first, self._closing = not self._closing, True
            self._changed.notify_all()
            return first

    def _finish(self, *, ended: bool = False) -> None:
        with self._lock:
            self._closing = self._closed = True
            done, self._done = self._done, None
            self._changed.notify_all()
        self._transport.drop(self.number)
        self._received.close(ended=ended, broken=self._broken)
        if done is not None:
            done()

    def _reserve(self, wanted: int, timeout: float | None) -> int:
        """Wait until the server takes input: how many bytes; 0 if it takes no more. Raises LinkLost, TimeoutError."""
        with self._lock:
            if not self._changed.wait_for(lambda: self._room > 0 or self._ended_input or self._closing, timeout):
                raise TimeoutError
            if self._broken:
                raise self._lost(self._why)
            if self._ended_input or self._closing:
                return 0
            size = min(wanted, self._room, READ_SIZE)  # others on the connection wait for it
            self._room -= size
            return size

    def _send(self, message: Sendable | OutgoingData, *, last: bool = False) -> None:
        """Send, but nothing behind the close: sshd ends the whole connection for that. Raises LinkLost."""
        with self._sending:
            if not self._closed_here:
                self._closed_here = last
                self._transport.send(message)

    def _tell(self, message: Sendable, *, last: bool = False) -> None:
        """Send what need not arrive: where the connection is lost, reading and the exit status say so."""
        with contextlib.suppress(LinkLost):
            self._send(message, last=last)

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"the connection to `{self._target}` is lost", why)


ANSWERS = (common.MSG_CHANNEL_OPEN_SUCCESS, common.MSG_CHANNEL_OPEN_FAILURE)
"""What comes first, and once."""

_HANDLERS: dict[int, Callable[[Any, Body], None]] = {
    common.MSG_CHANNEL_OPEN_SUCCESS: SshChannel._confirm,
    common.MSG_CHANNEL_OPEN_FAILURE: SshChannel._refuse,
    common.MSG_CHANNEL_WINDOW_ADJUST: SshChannel._widen,
    common.MSG_CHANNEL_DATA: SshChannel._arrive,
    common.MSG_CHANNEL_EXTENDED_DATA: SshChannel._arrive_extended,
    common.MSG_CHANNEL_EOF: SshChannel._end_output,
    common.MSG_CHANNEL_CLOSE: SshChannel._end,
    common.MSG_CHANNEL_REQUEST: lambda channel, body: channel._answer(body),
    common.MSG_CHANNEL_SUCCESS: lambda channel, body: channel._succeed(body),
    common.MSG_CHANNEL_FAILURE: lambda channel, body: channel._fail(body),
}
