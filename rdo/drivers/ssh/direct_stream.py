"""Channels for forwarded connections (RFC 4254, section 7.2): to a server on the target, or from a client there."""

from __future__ import annotations

from collections.abc import Callable

from paramiko.common import OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

from rdo.config.forwards import Endpoint
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel import SshChannel
from rdo.drivers.ssh.transport import SshTransport
from rdo.drivers.target_stream import Sink, refuse_data

WINDOW = 2 * 1024 * 1024
"""Bytes that may arrive before they are read, as with ssh(1). A browser opens many, and each may be slow."""


FORBIDDEN = "the SSH server forbids it (AllowTcpForwarding, PermitOpen)"


class _ForwardedChannel(SshChannel):
    """A channel that reports when it is opened."""

    opened: Callable[[], None]

    @property
    def failure(self) -> str:
        if self._refusal is not None and self._refusal.code == OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED:
            return FORBIDDEN  # OpenSSH's only message for it is `open failed`
        return super().failure

    def adopt(self, remote: messages.RemoteEnd) -> None:
        super().adopt(remote)
        self.opened()


class ForwardedStream:
    """See IncomingStream. `over` is called once the channel is closed, refused or lost."""

    def __init__(self, transport: SshTransport, target: str, over: Callable[[], None] = lambda: None) -> None:
        self.flush = transport.outbox.flush
        self.channel = _ForwardedChannel(transport, target, self._end, WINDOW)
        self.channel.opened = self._open
        self.is_open = False
        self._over = over
        self._sink: Sink = refuse_data
        self._changed: Callable[[], None] = lambda: None

    def begin(self, sink: Sink, changed: Callable[[], None]) -> None:
        """See IncomingStream."""
        self._sink, self._changed = sink, changed
        self.channel.watch(sink, self._readable)

    def fileno(self) -> int:
        """See TargetStream."""
        return -1

    @property
    def ended(self) -> bool:
        """See TargetStream."""
        return self.channel.is_over

    @property
    def failure(self) -> str:
        """See TargetStream."""
        return self.channel.failure if self.channel.is_over else ""

    def write(self, data: memoryview) -> int:
        """See TargetStream."""
        return self.channel.write_now(data, self._changed)

    def read(self) -> bytes | memoryview | None:
        """See TargetStream."""
        try:
            chunk = self.channel.read(0.0)
        except TimeoutError:
            self.channel.watch(self._sink, self._readable)
            return b""
        return chunk and chunk.data

    def end_input(self) -> bool:
        """See TargetStream. Only an open channel can send this."""
        if not (self.is_open or self.channel.is_over):
            return False
        self.channel.end_input()
        return True

    def close(self) -> None:
        """See TargetStream."""
        self.channel.close()

    def _readable(self, is_over: bool) -> None:
        self._changed()

    def _open(self) -> None:
        self.is_open = True
        self._changed()

    def _end(self) -> None:
        self._over()
        self._changed()


def direct_stream(
    transport: SshTransport, target: str, destination: Endpoint, sink: Sink, changed: Callable[[], None]
) -> ForwardedStream:
    """A stream that the server is asked to connect. Raises LinkLost."""
    stream = ForwardedStream(transport, target)
    stream.begin(sink, changed)
    if destination.path:
        kind, details = "direct-streamlocal@openssh.com", messages.stream_to_socket(destination.path)
    else:
        kind, details = "direct-tcpip", messages.stream_to(destination.host, destination.port)
    transport.request_channel(stream.channel, kind, details)
    return stream
