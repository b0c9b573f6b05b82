"""A channel as a byte stream that can carry more: another connection, through this host; or the talk with our agent."""

from __future__ import annotations

from rdo.drivers.ssh.channel import SshChannel
from rdo.errors import LinkLost

SEND_CHECK_INTERVAL = 1.0
"""Seconds that sending waits for room, before the sender checks whether it still should."""


class ChannelStream:
    """The ByteStream of rdo.drivers.ssh.monitored_stream. For one thread that reads, and one that sends."""

    def __init__(self, channel: SshChannel) -> None:
        self._channel = channel
        self._timeout: float | None = None
        self._left = memoryview(b"")

    def send(self, data: bytes | memoryview) -> int:
        """Send what there is room for. Raises TimeoutError, OSError."""
        try:
            size = self._channel.write_some(memoryview(data), SEND_CHECK_INTERVAL)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None
        if size is None:
            raise BrokenPipeError
        return size

    def sendall(self, data: bytes | memoryview) -> None:
        """Send it all, however long that takes; nothing once the channel has ended. Raises OSError."""
        try:
            self._channel.write(data)
        except LinkLost as error:
            raise ConnectionResetError(str(error)) from None

    def recv(self, size: int) -> bytes:
        """Read what there is, at most so much; nothing at the end. Raises TimeoutError."""
        if not self._left:
            chunk = self._channel.read(self._timeout)
            if chunk is None:
                return b""
            self._left = memoryview(chunk.data)
        data, self._left = bytes(self._left[:size]), self._left[size:]
        return data

    def settimeout(self, seconds: float | None) -> None:
        """How long `recv` waits."""
        self._timeout = seconds

    def close(self) -> None:
        """End it, and wake whoever waits."""
        self._channel.close()
