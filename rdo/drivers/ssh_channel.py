"""One program on the target over an SSH session channel: flow control, streams, exit status (RFC 4254, sections 5, 6).

What the server says of it comes by `receive`, from the thread that serves the link.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

from paramiko import common

from rdo.drivers import ssh_messages as messages
from rdo.drivers.base import READ_SIZE, STDERR, STDOUT, ChannelRefused, Chunk, Pty, Sink, WindowSize
from rdo.drivers.channel_data import Input, Sendable
from rdo.drivers.link import WINDOW, Link
from rdo.drivers.reception import Reception
from rdo.errors import LinkLost

OPEN_DEADLINE = 60.0
"""Seconds for the server to open a channel: some run slow session hooks. A dead link is found sooner."""
ACKNOWLEDGE = WINDOW // 4
"""Bytes read before the server is told that it may send as many more."""
EXTENDED_STDERR = 1
UNKNOWN_CHANNEL_TYPE = 3


class SshChannel:
    """The Channel of rdo.drivers.base. One lock guards its state, another keeps the order of what is sent."""

    def __init__(self, link: Link, target: str, done: Callable[[], None]) -> None:
        """`done` is called once, when the server has closed the channel, refused it, or the link has ended."""
        self.number = -1
        self._link = link
        self._target = target
        self._done: Callable[[], None] | None = done
        self._lock = threading.Lock()
        self._changed = threading.Condition(
            self._lock
        )  # for who waits for the channel, and then for room in its window
        self._sending = threading.Lock()
        self._closed_here = False
        self._opened = False
        self._refusal: tuple[int, str] | None = None
        self._remote = self._window = self._packet = 0
        self._received = Reception(ACKNOWLEDGE)
        self._why = ""
        self._unanswered: deque[str] = deque()
        self._ended_input = False
        self._closing = False  # by either side: no more goes out or comes in
        self._closed = False  # by both sides, or by the end of the link
        self._broken = False  # by the end of the link

    @property
    def ended(self) -> bool:
        return self._received.status is not None or self._closing

    def start(self, command: str, pty: Pty | None, *, agent: bool = False) -> None:
        """Wait for the channel, then start the program, without waiting for that. Raises ChannelRefused, LinkLost.

        `agent`: let the program use our SSH agent.
        """
        self._wait_until_open()
        if agent:
            self._send(messages.forward_agent(self._remote))
        if pty is not None:
            self._unanswered.append("make a terminal")
            self._send(messages.make_pty(self._remote, pty))
        self._unanswered.append("run a command")
        self._send(messages.execute(self._remote, command))

    def write(self, data: bytes | memoryview) -> None:
        view = memoryview(data)
        while view:
            size = self._reserve(len(view))
            if size == 0:
                return
            self._send(Input(self._remote, view[:size], self._packet))
            view = view[size:]

    def offer(self, data: bytes | memoryview) -> bool:
        with self._lock:
            if self._window < len(data) or self._ended_input or self._closing:
                return False
            self._window -= len(data)
        self._send(Input(self._remote, memoryview(data), self._packet))
        return True

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        while True:
            chunk, owed = self._received.read(timeout, sink)
            if owed:
                self._tell(messages.window_adjust(self._remote, owed))
            if chunk or not owed:
                return chunk

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        self._received.watch(sink, readable)
        return True

    def end_input(self) -> None:
        with self._lock:
            if self._ended_input or self._closing:
                return
            self._ended_input = True
            self._changed.notify_all()
        self._tell(messages.end_of_input(self._remote))

    def stop_reading(self) -> bool:
        if not self._link.is_openssh():
            return False
        if not self._closing:
            self._tell(messages.end_of_write(self._remote))
        return True

    def resize(self, size: WindowSize) -> None:
        if not self._closing:
            self._tell(messages.change_window(self._remote, size))

    def exit_status(self) -> int:
        status = self._received.wait_for_status()
        if status is None:
            raise self._lost(self._why or "the server gave no exit status")
        return status

    def close(self) -> None:
        if not self._begin_to_close():
            return
        self._received.close(wanted=False)
        self._tell(messages.close(self._remote), last=True)

    # What follows is called by the link.

    def receive(self, kind: int, body: messages.Body) -> None:
        """A message for this channel: its number, and what stands behind the channel's own."""
        _HANDLERS[kind](self, body)

    def lose(self) -> None:
        """The link has ended."""
        if not self._closed:
            self._broken = True
            self._why = self._why or self._link.farewell or "the connection broke"
            self._finish()

    def _confirm(self, body: messages.Body) -> None:
        with self._lock:
            self._remote, self._window, self._packet = messages.confirmation(body)
            self._opened = True
            self._changed.notify_all()
        if self._closing:  # given up while the server took its time
            self._tell(messages.close(self._remote), last=True)

    def _refuse(self, body: messages.Body) -> None:
        self._refusal = messages.refusal(body)
        self._finish()

    def _widen(self, body: messages.Body) -> None:
        with self._lock:
            self._window += messages.number(body)
            self._changed.notify_all()

    def _arrive(self, body: messages.Body) -> None:
        self._received.arrive(STDOUT, body)

    def _arrive_extended(self, body: messages.Body) -> None:
        code, data = messages.extended_data(body)
        if code == EXTENDED_STDERR:
            self._received.arrive(STDERR, data)

    def _answer(self, body: messages.Body) -> None:
        status, reply = messages.request(body)
        if status is not None:
            self._received.arrive_status(status)
        if reply:  # as to sshd's question whether we are there (ClientAliveInterval): it wants an answer, whichever
            self._tell(messages.failure(self._remote))

    def _succeed(self, body: messages.Body) -> None:
        self._unanswered.popleft()

    def _fail(self, body: messages.Body) -> None:
        self._why = f"the server refused to {self._unanswered.popleft()}"
        self.close()

    def _end_output(self, body: messages.Body) -> None:
        self._received.end()
        self._link.defer(self._received.tell_watcher)  # the exit status may be next

    def _end(self, body: messages.Body) -> None:
        if self._begin_to_close():
            self._tell(messages.close(self._remote), last=True)
        self._finish(ended=True)

    # Inner workings.

    def _wait_until_open(self) -> None:
        with self._lock:
            if not self._changed.wait_for(lambda: self._opened or self._closed, OPEN_DEADLINE):
                self._closing = True
                raise self._lost(f"it opened no channel within {OPEN_DEADLINE:.0f} s")
        if self._refusal is not None:
            if self._refusal[0] == UNKNOWN_CHANNEL_TYPE:
                raise LinkLost(f"`{self._target}` allows no commands", self._refusal[1])
            raise ChannelRefused(self._refusal[1])
        if self._broken:
            raise self._lost(self._why)

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
        self._link.drop(self.number)
        self._received.close(ended=ended, broken=self._broken)
        if done is not None:
            done()

    def _reserve(self, wanted: int) -> int:
        """Wait until the server takes input: how many bytes; 0 if it takes no more. Raises LinkLost."""
        with self._lock:
            self._changed.wait_for(lambda: self._window > 0 or self._ended_input or self._closing)
            if self._broken:
                raise self._lost(self._why)
            if self._ended_input or self._closing:
                return 0
            size = min(wanted, self._window, READ_SIZE)  # others on the connection wait for it
            self._window -= size
            return size

    def _send(self, message: Sendable | Input, *, last: bool = False) -> None:
        """Send, but nothing behind the close: sshd ends the whole connection for that. Raises LinkLost."""
        with self._sending:
            if not self._closed_here:
                self._closed_here = last
                self._link.send(message)

    def _tell(self, message: Sendable, *, last: bool = False) -> None:
        """Send what need not arrive: where the link is lost, reading and the exit status say so."""
        with contextlib.suppress(LinkLost):
            self._send(message, last=last)

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"the connection to `{self._target}` is lost", why)


_HANDLERS: dict[int, Callable[[SshChannel, messages.Body], None]] = {
    common.MSG_CHANNEL_OPEN_SUCCESS: SshChannel._confirm,
    common.MSG_CHANNEL_OPEN_FAILURE: SshChannel._refuse,
    common.MSG_CHANNEL_WINDOW_ADJUST: SshChannel._widen,
    common.MSG_CHANNEL_DATA: SshChannel._arrive,
    common.MSG_CHANNEL_EXTENDED_DATA: SshChannel._arrive_extended,
    common.MSG_CHANNEL_EOF: SshChannel._end_output,
    common.MSG_CHANNEL_CLOSE: SshChannel._end,
    common.MSG_CHANNEL_REQUEST: SshChannel._answer,
    common.MSG_CHANNEL_SUCCESS: SshChannel._succeed,
    common.MSG_CHANNEL_FAILURE: SshChannel._fail,
}
