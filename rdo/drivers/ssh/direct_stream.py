"""A channel on which the server connects on to another one (RFC 4254, section 7.2), for forwarded ports."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.config.forwards import Endpoint
from rdo.drivers.base import Sink
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel import SshChannel
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost

WINDOW = 2 * 1024 * 1024
"""Bytes that may come before they are read: as ssh(1). A browser opens many, and each may be slow."""


class DirectStream:
    """See TargetStream."""

    def __init__(
        self, transport: SshTransport, target: str, destination: Endpoint, sink: Sink, changed: Callable[[], None]
    ) -> None:
        """Asks for the channel. Raises LinkLost."""
        self._sink = sink
        self._changed = changed
        self._channel = SshChannel(transport, target, changed, WINDOW)
        self._channel.watch(sink, self._readable)
        if destination.path:
            kind, details = "direct-streamlocal@openssh.com", messages.stream_to_socket(destination.path)
        else:
            kind, details = "direct-tcpip", messages.stream_to(destination.host, destination.port)
        transport.request_channel(self._channel, kind, details)

    def fileno(self) -> int:
        """See TargetStream."""
        return -1

    @property
    def ended(self) -> bool:
        """See TargetStream."""
        return self._channel.is_over

    @property
    def failure(self) -> str:
        """See TargetStream."""
        return self._channel.failure

    def write(self, data: memoryview) -> int:
        """See TargetStream."""
        size: int | None = None
        with contextlib.suppress(LinkLost):
            size = self._channel.write_now(data, self._changed)
        return len(data) if size is None else size

    def read(self) -> bytes | memoryview | None:
        """See TargetStream."""
        try:
            chunk = self._channel.read(0.0)
        except TimeoutError:
            self._channel.watch(self._sink, self._readable)
            return b""
        return chunk and chunk.data

    def end_input(self) -> bool:
        """See TargetStream."""
        self._channel.end_input()
        return True

    def close(self) -> None:
        """See TargetStream."""
        self._channel.close()

    def _readable(self, is_over: bool) -> None:
        self._changed()
