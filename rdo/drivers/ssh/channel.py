"""One channel of an SSH connection: opening, flow control, data in both directions, and the end (RFC 4254, section 5).

The transport's thread passes the server's messages to `receive`. Knows nothing of programs.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from paramiko import common

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel_sender import ChannelSender
from rdo.drivers.ssh.channel_state import (
    FINAL,
    SILENT,
    TAKES_INPUT,
    TRANSITIONS,
    UNANSWERED,
    ChannelEvent,
    ChannelState,
)
from rdo.drivers.ssh.fields import Body, Violation
from rdo.drivers.ssh.flow_control import ReceiveBuffer
from rdo.drivers.ssh.transport import SshTransport
from rdo.drivers.target_stream import Sink
from rdo.errors import LinkLost

WINDOW = 4 * 1024 * 1024
"""Bytes a target may send before they are read, kept for a slow reader. 4 MiB carry 80 MB/s over 50 ms and back."""

OPEN_TIMEOUT = 60.0
"""Seconds for the server to open a channel, since some run slow session hooks. A dead connection is noticed earlier."""

EXTENDED_STDERR = 1


class OpenRefused(Exception):
    """The server refuses to open the channel: the code of its reason, and its message."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(words)
        self.code = code


class SshChannel:
    """Our end of a channel. Its state changes only as rdo.drivers.ssh.channel_state allows."""

    def __init__(
        self,
        transport: SshTransport,
        target: str,
        on_end: Callable[[], None],
        window: int = WINDOW,
    ) -> None:
        """`on_end` is called once, when the server has closed or refused the channel, or the connection has ended.

        `window` is the number of bytes that may arrive before they are read.
        """
        self.number = -1
        self.window = window
        self._transport = transport
        self._target = target
        self._on_end = on_end
        self._changed = threading.Condition()  # guards _state; notified at each change of it
        self._state = ChannelState.OPENING
        self._sender = ChannelSender(transport, lambda: self._state in SILENT)
        self.write_now = self._sender.send_now
        """See ChannelSender. This saves a call for each piece."""
        self._received = ReceiveBuffer(window // 4, window)
        self._refusal: OpenRefused | None = None
        self._why, self._is_given_up = "", False
        """Why the channel ended, if known; and whether an error in rdo ended it."""

    def wait_until_open(self, timeout: float = OPEN_TIMEOUT) -> None:
        """Wait for the server to open the channel. Raises OpenRefused, LinkLost."""
        with self._changed:
            answered = self._changed.wait_for(lambda: self._state not in UNANSWERED, timeout)
        if not answered:
            self._advance(ChannelEvent.SEND_CLOSE)
            raise self._lost(f"it did not open a channel within {timeout:.0f} s")
        if self._refusal is not None:
            raise self._refusal
        if self._state is ChannelState.LOST:
            raise self._lost(self._why)

    def write(self, data: bytes | memoryview) -> None:
        """Send all of the data, as the server accepts it; nothing once the channel has ended. Raises LinkLost."""
        view = memoryview(data)
        while view:
            size = self.write_some(view)
            if size is None:
                return
            view = view[size:]

    def write_some(self, data: memoryview, timeout: float | None = None) -> int | None:
        """Send what the server accepts: how many bytes; None if it accepts no more. Raises LinkLost, TimeoutError."""
        size = self._sender.reserve(len(data), timeout)
        if self._state is ChannelState.LOST:
            raise self._lost(self._why)
        if size == 0:
            return None
        self._sender.send_data(data[:size])
        return size

    def try_write(self, data: bytes | memoryview) -> bool:
        """See Channel in rdo.drivers.base."""
        return self._sender.send_all(memoryview(data))

    def write_first(self, data: bytes) -> None:
        """See Channel in rdo.drivers.base. A session has no window before its program is started."""
        with contextlib.suppress(LinkLost):
            self._sender.send_all(memoryview(data), partial(self.write_first, data))

    def read(self, timeout: float | None = None, sink: Sink | None = None) -> Chunk | None:
        """See Channel in rdo.drivers.base."""
        while True:
            chunk, credit = self._received.read(timeout, sink)
            if credit:
                self._sender.send_if_possible(messages.window_adjust(self._sender.number, credit))
            if chunk or not credit:
                return chunk

    def watch(self, sink: Sink, readable: Callable[[bool], None]) -> bool:
        """See Channel in rdo.drivers.base."""
        self._received.watch(sink, readable)
        return True

    @property
    def is_over(self) -> bool:
        """Whether the channel is closed by both sides, refused or lost. What has arrived can still be read."""
        return self._is_given_up or self._state in FINAL

    @property
    def failure(self) -> str:
        """Why the server refused the channel, or what ended it other than one of its sides; else empty."""
        return str(self._refusal or (self._why if self._is_given_up or self._state is ChannelState.LOST else ""))

    def end_input(self) -> None:
        """Send no more data."""
        if self._advance(ChannelEvent.SEND_EOF):
            self._sender.send_if_possible(messages.end_of_input(self._sender.number))

    def close(self) -> None:
        """Close the channel."""
        state = self._advance(ChannelEvent.SEND_CLOSE)
        if state is None:
            return
        self._received.give_up()
        if state is ChannelState.CLOSE_SENT:
            self._sender.send_close()

    # The rest is called by the transport.

    def adopt(self, remote: messages.RemoteEnd) -> None:
        """Note the server's end of the channel, which is then open; or close it again, if it was given up meanwhile."""
        self._sender.adopt(remote)
        if self._advance(ChannelEvent.OPENED) is ChannelState.CLOSE_SENT:
            self._sender.send_close()

    def receive(self, kind: int, body: Body) -> None:
        """Handle a message for this channel: its number, and what follows the channel's number. Raises Violation."""
        unanswered = self._state in UNANSWERED
        if unanswered != (kind in ANSWERS):
            raise Violation(f"it sent message {kind} for a channel that is {'not ' if unanswered else ''}open")
        _HANDLERS[kind](self, body)

    def give_up(self, why: str) -> None:
        self._why, self._is_given_up = self._why or why, True
        self.close()

    def lose(self) -> None:
        """Note that the connection has ended."""
        self._why = self._why or self._transport.disconnect_reason or "the server closed the connection"
        self._finish(ChannelEvent.LOST, self._received.lose)

    def _receive_refusal(self, body: Body) -> None:
        self._refusal = OpenRefused(*messages.refusal(body))
        self._finish(ChannelEvent.REFUSED, self._received.give_up)

    def _receive_extended_data(self, body: Body) -> None:
        code, data = messages.extended_data(body)
        if code == EXTENDED_STDERR:
            self._received.put(STDERR, data)
        else:
            self._received.discard(len(data))

    def _receive_eof(self, body: Body) -> None:
        self._received.end()
        self._transport.defer(self._received.notify_watcher)  # the exit status may follow

    def _receive_close(self, body: Body) -> None:
        if self._advance(ChannelEvent.SEND_CLOSE):
            self._sender.send_close()
        self._finish(ChannelEvent.CLOSED, self._received.close)

    def _receive_request(self, body: Body) -> None:
        request = messages.request(body)
        if request.status is not None:
            self._received.put_status(request.status)
            self._received.notify_watcher()
        if request.wants_reply:  # such as sshd's check whether we are there (ClientAliveInterval): any answer will do
            self._sender.send_if_possible(messages.failure(self._sender.number))

    def _receive_reply(self, *, granted: bool) -> None:
        """Handle the reply to one of our requests. One without a request is ignored, as by ssh(1)."""

    # Internals

    def _advance(self, event: ChannelEvent) -> ChannelState | None:
        """Change the state if the event does so, and return the new one."""
        with self._changed:
            state = TRANSITIONS[self._state].get(event)
            if state is None:
                return None
            self._state = state
            self._changed.notify_all()
        if state not in TAKES_INPUT:
            self._sender.end()
        return state

    def _finish(self, event: ChannelEvent, end_output: Callable[[], None]) -> None:
        if self._advance(event):
            self._transport.open_channels.drop(self.number)
            end_output()
            self._on_end()

    def _lost(self, why: str) -> LinkLost:
        return LinkLost(f"the connection to `{self._target}` is lost", why)


ANSWERS = (common.MSG_CHANNEL_OPEN_SUCCESS, common.MSG_CHANNEL_OPEN_FAILURE)

_HANDLERS: dict[int, Callable[[Any, Body], None]] = {
    common.MSG_CHANNEL_OPEN_SUCCESS: lambda channel, body: channel.adopt(messages.confirmation(body)),
    common.MSG_CHANNEL_OPEN_FAILURE: SshChannel._receive_refusal,
    common.MSG_CHANNEL_WINDOW_ADJUST: lambda channel, body: channel._sender.widen(messages.number(body)),
    common.MSG_CHANNEL_DATA: lambda channel, body: channel._received.put(STDOUT, body),
    common.MSG_CHANNEL_EXTENDED_DATA: SshChannel._receive_extended_data,
    common.MSG_CHANNEL_EOF: SshChannel._receive_eof,
    common.MSG_CHANNEL_CLOSE: SshChannel._receive_close,
    common.MSG_CHANNEL_REQUEST: SshChannel._receive_request,
    common.MSG_CHANNEL_SUCCESS: lambda channel, body: channel._receive_reply(granted=True),
    common.MSG_CHANNEL_FAILURE: lambda channel, body: channel._receive_reply(granted=False),
}
