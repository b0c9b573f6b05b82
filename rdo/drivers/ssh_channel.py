"""One program on the target over an SSH session channel: flow control, streams, exit status (RFC 4254, sections 5, 6).

paramiko calls the methods that begin with an underscore, from its reading thread and by the names of its own Channel.
"""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable

from paramiko.message import Message

from rdo.drivers import ssh_messages as messages
from rdo.drivers.base import READ_SIZE, STDERR, STDOUT, ChannelRefused, Chunk, Pty, Sink, WindowSize
from rdo.drivers.chunk_queue import ChunkQueue
from rdo.drivers.link import WINDOW, Link
from rdo.drivers.packets import Input, Output, Sendable
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
        self._changed = threading.Condition(self._lock)  # for who reads
        self._widened = threading.Condition(self._lock)  # for who writes: the window, which changes far more often
        self._sending = threading.Lock()
        self._closed_here = False
        self._opened = threading.Event()
        self._refusal: tuple[int, str] | None = None
        self._remote = self._window = self._packet = 0
        self._chunks = ChunkQueue(ACKNOWLEDGE)
        self._sink: Sink | None = None
        self._watcher: Callable[[bool], None] | None = None
        self._status: int | None = None
        self._why = ""
        self._unanswered: deque[str] = deque()
        self._ended_input = self._ended_output = False
        self._closing = False  # by either side: no more goes out or comes in
        self._closed = False  # by both sides, or by the end of the link
        self._broken = False  # by the end of the link

    @property
    def ended(self) -> bool:
        return self._status is not None or self._closing

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
            with self._lock:
                self._wait_until_readable(timeout, sink)
                over = self._ended_output or self._closing
                chunk = self._chunks.take() if self._chunks else None
                owed = 0 if over else self._chunks.owed()
            if owed:
                self._tell(messages.window_adjust(self._remote, owed))
            if chunk or over:
                return chunk

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        with self._lock:
            self._sink, self._watcher = sink, readable
        self._tell_watcher()
        return True

    def end_input(self) -> None:
        with self._lock:
            if self._ended_input or self._closing:
                return
            self._ended_input = True
            self._widened.notify_all()
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
        with self._lock:
            self._changed.wait_for(lambda: self._status is not None or self._closing)
            if self._status is None or (self._broken and not self._ended_output):
                raise self._lost(self._why or "the server gave no exit status")
            return self._status

    def close(self) -> None:
        with self._lock:
            if self._closing:
                return
            self._closing = True
            self._chunks.clear()
            self._wake_all()
        self._tell(messages.close(self._remote), last=True)
        self._tell_watcher()

    # What follows is called by the link.

    def opened_not(self, code: int, reason: str) -> None:
        """The server refused the channel."""
        self._refusal = (code, reason)
        self._finish()

    def _set_remote_channel(self, chanid: int, window_size: int, max_packet_size: int) -> None:
        self._remote, self._window, self._packet = chanid, window_size, max_packet_size
        self._opened.set()
        if self._closing:  # given up while the server took its time
            self._tell(messages.close(chanid), last=True)

    def _feed(self, message: Message | Output) -> None:
        self._arrive(STDOUT, message.data if isinstance(message, Output) else message.get_binary())

    def _feed_extended(self, message: Message) -> None:
        code, data = message.get_int(), message.get_binary()
        if code == EXTENDED_STDERR:
            self._arrive(STDERR, data)

    def _window_adjust(self, message: Message) -> None:
        with self._lock:
            self._window += message.get_int()
            self._widened.notify_all()

    def _request_success(self, message: Message) -> None:
        self._unanswered.popleft()

    def _request_failed(self, message: Message) -> None:
        self._why = f"the server refused to {self._unanswered.popleft()}"
        self.close()

    def _handle_request(self, message: Message) -> None:
        kind = message.get_text()
        message.get_boolean()  # whether a reply is wanted: never to the two that a client gets
        if kind not in ("exit-status", "exit-signal"):
            return
        with self._lock:
            if kind == "exit-status":
                self._status = message.get_int()
            else:
                self._status = 128 + messages.SIGNALS.get(message.get_text(), 0)
            if self._ended_output:  # who reads has nothing to do yet
                self._changed.notify_all()

    def _handle_eof(self, message: Message) -> None:
        with self._lock:
            self._ended_output = True
            self._changed.notify_all()
        self._link.defer(self._tell_watcher)  # the exit status may be next

    def _handle_close(self, message: Message) -> None:
        with self._lock:
            answered, self._closing = self._closing, True
            self._ended_output = True
        if not answered:
            self._tell(messages.close(self._remote), last=True)
        self._finish()

    def _unlink(self) -> None:
        if not self._closed:
            self._broken = True
            self._why = self._why or self._link.farewell or "the connection broke"
            self._finish()

    # Inner workings.

    def _wait_until_open(self) -> None:
        if not self._opened.wait(OPEN_DEADLINE):
            self._closing = True
            raise self._lost(f"it opened no channel within {OPEN_DEADLINE:.0f} s")
        if self._refusal is not None:
            if self._refusal[0] == UNKNOWN_CHANNEL_TYPE:
                raise LinkLost(f"`{self._target}` allows no commands", self._refusal[1])
            raise ChannelRefused(self._refusal[1])
        if self._broken:
            raise self._lost(self._why)

    def _finish(self) -> None:
        with self._lock:
            self._closing = self._closed = True
            done, self._done = self._done, None
            self._wake_all()
        self._opened.set()
        self._link.drop(self.number)
        self._tell_watcher()
        if done is not None:
            done()

    def _wake_all(self) -> None:
        self._changed.notify_all()
        self._widened.notify_all()

    def _arrive(self, stream: int, data: bytes | memoryview) -> None:
        with self._lock:
            if self._closing:
                return
            if self._sink and not self._chunks and self._sink(stream, data):
                self._chunks.pass_by(len(data))
            else:
                self._chunks.put(stream, data)
            if self._readable():
                self._changed.notify_all()
        self._tell_watcher()

    def _tell_watcher(self) -> None:
        """Tell who watches as soon as somebody has to read."""
        if self._watcher is None:
            return
        with self._lock:
            watcher = self._watcher
            if watcher is None or not self._readable():
                return
            self._watcher = self._sink = None
            over = self._status is not None and self._ended_output and not (self._chunks or self._broken)
        watcher(over)

    def _wait_until_readable(self, timeout: float | None, sink: Sink | None) -> None:
        self._sink = sink
        try:
            if not self._changed.wait_for(self._readable, timeout):
                raise TimeoutError
        finally:
            self._sink = None

    def _readable(self) -> bool:
        return bool(self._chunks) or self._chunks.owes or self._ended_output or self._closing

    def _reserve(self, wanted: int) -> int:
        """Wait until the server takes input: how many bytes; 0 if it takes no more. Raises LinkLost."""
        with self._lock:
            self._widened.wait_for(lambda: self._window > 0 or self._ended_input or self._closing)
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
