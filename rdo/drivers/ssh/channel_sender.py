"""Sends data and messages to the other end of a channel: as much as it accepts, in order, and nothing after the
close."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.packet_content import OutgoingData, Sendable
from rdo.drivers.ssh.send_window import SendWindow
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost


class ChannelSender:
    """The sending side of a channel. Thread-safe."""

    def __init__(self, transport: SshTransport, is_silent: Callable[[], bool]) -> None:
        """`is_silent` returns whether nothing may be sent any more, or not yet."""
        self._transport = transport
        self._is_silent = is_silent
        self._remote = messages.RemoteEnd(0, 0, 0)
        self._window = SendWindow()

    @property
    def number(self) -> int:
        """The server's number of the channel, which starts messages for it."""
        return self._remote.number

    def adopt(self, remote: messages.RemoteEnd) -> None:
        """Note that the server has opened the channel."""
        self._remote = remote
        self._window.widen(remote.window)

    def widen(self, size: int) -> None:
        """Note that the server accepts so many more bytes."""
        self._window.widen(size)

    def end(self) -> None:
        """End waiting for room, since the server accepts no more data."""
        self._window.close()

    def reserve(self, most: int, timeout: float | None) -> int:
        """Wait for room, and return for how many bytes there is some; 0 if no more is accepted. Raises TimeoutError."""
        return self._window.reserve(min(most, READ_SIZE), timeout)  # others on the connection wait for it

    def send_data(self, data: memoryview) -> None:
        """Send data for which `reserve` found room. Raises LinkLost."""
        self.send(OutgoingData(self._remote.number, data, self._remote.packet))

    def send_now(self, data: memoryview, when_room: Callable[[], None]) -> int:
        """Queue as much as there is room for, and return the number of bytes. If the server accepts no more, all of it
        is discarded and counted. See SendWindow.

        It is sent by `flush` of the transport's outbox.
        """
        size = self._window.reserve_now(len(data), when_room)
        if size is None:
            return len(data)
        if size:
            piece = OutgoingData(self._remote.number, bytes(data[:size]), self._remote.packet)
            self._transport.outbox.hold(piece, self._is_silent)
        return size

    def send_all(self, data: memoryview, when_room: Callable[[], None] | None = None) -> bool:
        """Send the data if there is room for all of it, and return whether there is. If not, see SendWindow. Raises
        LinkLost."""
        if not self._window.reserve_all(len(data), when_room):
            return False
        self.send_data(data)
        return True

    def send(self, message: Sendable | OutgoingData) -> None:
        """Send a message, unless the channel is closed. Raises LinkLost."""
        self._transport.outbox.send(message, unless=self._is_silent)

    def send_if_possible(self, message: Sendable) -> None:
        """Send a message that need not arrive. If the connection is lost, reading and the exit status report that."""
        with contextlib.suppress(LinkLost):
            self.send(message)

    def send_close(self) -> None:
        """Send the last message of the channel."""
        with contextlib.suppress(LinkLost):
            self._transport.outbox.send(messages.close(self._remote.number))
