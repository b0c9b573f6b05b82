"""Asks an SSH server for a sign of life without waiting for it; and how often, by the user's configuration."""

from __future__ import annotations

import contextlib
import threading

from rdo.drivers.silence import KeepaliveTimeouts
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.monitored_stream import MonitoredStream
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import LinkLost, SetupError
from rdo.util import threads


class Ping:
    """The ping of one connection. Thread-safe."""

    def __init__(self, transport: SshTransport, stream: MonitoredStream) -> None:
        self._transport = transport
        self._stream = stream
        self._slow = threading.Lock()
        """Held while a thread sends that may have to wait, so that there is only one."""

    def send(self) -> None:
        """Ask, unless something else is stuck on its way, which serves the same purpose."""
        if self._stream.is_socket:
            with contextlib.suppress(LinkLost, OSError, ValueError):  # closed, as the reading thread notices, too
                if self._stream.takes_more():
                    self._transport.outbox.try_send(messages.keepalive(), _ignore)
        elif self._slow.acquire(blocking=False):
            try:
                threads.start(self._send_slowly, name="rdo-ping")
            except SetupError:  # the next one may go
                self._slow.release()

    def _send_slowly(self) -> None:
        """Send through another host, in which case it is unknown whether there is room."""
        try:
            with contextlib.suppress(LinkLost):
                self._transport.outbox.send(messages.keepalive(), _ignore)
        finally:
            self._slow.release()


def _ignore(answer: bytes | None) -> None:
    """The arrival of the answer is all that matters."""


def keepalive_timeouts(usual: KeepaliveTimeouts, options: SshOptions) -> KeepaliveTimeouts:
    """The user's own timeouts, if any; they also apply while the connection is not in use."""
    interval = options.alive_interval
    if not interval:
        return usual
    dead_after = interval * (options.alive_count + 1)
    return usual._replace(
        ping_interval=min(usual.ping_interval, interval),
        idle_interval=interval,
        dead_after=dead_after,
        idle_dead_after=dead_after,
    )
