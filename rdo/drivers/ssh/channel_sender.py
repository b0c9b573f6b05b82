"""What goes to the far end of a channel: as much as that takes, one after another, and nothing after the close."""

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
    """Usable from any thread."""

    def __init__(self, transport: SshTransport, is_silent: Callable[[], bool]) -> None:
        """`is_silent`: whether nothing may be sent, or not any more."""
        self._transport = transport
        self._is_silent = is_silent
        self._remote = messages.RemoteEnd(0, 0, 0)
        self._window = SendWindow()

    @property
    def number(self) -> int:
        """The server's number of the channel: what messages for it begin with."""
        return self._remote.number

    def adopt(self, remote: messages.RemoteEnd) -> None:
        """The server has opened the channel."""
        self._remote = remote
        self._window.widen(remote.window)

    def widen(self, size: int) -> None:
        """The server takes so many bytes more."""
        self._window.widen(size)

    def end(self) -> None:
        """It takes no data any more: who waits for room waits no longer."""
        self._window.close()

    def reserve(self, most: int, timeout: float | None) -> int:
        """Wait for room: for how many bytes there is some. 0 where no more is taken. Raises TimeoutError."""
        return self._window.reserve(min(most, READ_SIZE), timeout)  # others on the connection wait for it

    def send_data(self, data: memoryview) -> None:
        """Send what there is room for by `reserve`. Raises LinkLost."""
        self.send(OutgoingData(self._remote.number, data, self._remote.packet))

    def send_now(self, data: memoryview, when_room: Callable[[], None]) -> int:
        """Take what there is room for: how many bytes; all of it, and in vain, where the server takes no more. See
        SendWindow.

        It goes out by `flush` of the transport's outbox.
        """
        size = self._window.reserve_now(len(data), when_room)
        if size is None:
            return len(data)
        if size:
            piece = OutgoingData(self._remote.number, bytes(data[:size]), self._remote.packet)
            self._transport.outbox.hold(piece, self._is_silent)
        return size

    def send_all(self, data: memoryview, when_room: Callable[[], None] | None = None) -> bool:
        """Send it if there is room for all of it: whether there is. If not, see SendWindow. Raises LinkLost."""
        if not self._window.reserve_all(len(data), when_room):
            return False
        self.send_data(data)
        return True

    def send(self, message: Sendable | OutgoingData) -> None:
        """Send it, unless the channel is given up. Raises LinkLost."""
        self._transport.outbox.send(message, unless=self._is_silent)

    def send_if_possible(self, message: Sendable) -> None:
        """Send what need not arrive: where the connection is lost, reading and the exit status say so."""
        with contextlib.suppress(LinkLost):
            self.send(message)

    def send_close(self) -> None:
        """Send the last message of the channel."""
        with contextlib.suppress(LinkLost):
            self._transport.outbox.send(messages.close(self._remote.number))
