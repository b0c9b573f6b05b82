"""This machine as a target, and the programs that run on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Mapping

from rdo.config.forwards import NO_FORWARDS, Endpoint
from rdo.drivers.base import NO_VARIABLES, ChannelOptions, Pty
from rdo.drivers.caller import Caller
from rdo.drivers.link_watch import NoLink
from rdo.drivers.local.caller_context import CallerContext
from rdo.drivers.local.channel import LocalChannel
from rdo.drivers.local.socket_stream import LocalStream
from rdo.drivers.target_stream import IncomingStream, RemoteListener, Sink
from rdo.errors import ConnectError, LinkLost, SetupError, reason
from rdo.fscodec import fsencode
from rdo.util.digest import sha256_hex

END_TIMEOUT = 3.0
"""Seconds for programs to end once their streams are closed. The lifeline kills them after 2."""


class LocalTarget:
    """This machine, with what programs inherit from one caller. See base.Target."""

    name = driver = "local"
    found_by = ""
    is_current = True
    variables_read: frozenset[str] = frozenset()
    forwards = NO_FORWARDS

    def __init__(self, context: CallerContext) -> None:
        self._context = context
        self.key: Hashable = ("local", frozenset(context.environment.items()), *context[1:])

    @property
    def details(self) -> Mapping[str, str]:
        """See base.Target."""
        variables = self._context.environment.items()
        return {f"${name}": sha256_hex(fsencode(value))[:4] for name, value in variables}

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """No variables: programs inherit the caller's environment anyway."""
        return ChannelOptions(pty)

    def connect(self, caller: Caller) -> LocalConnection:
        """Return a connection; there is nothing to connect to."""
        return LocalConnection(self._context)

    def serves_here(self, here: int, there: int) -> bool:
        """See base.Target: here and there are the same machine."""
        return here == there

    def release(self) -> None:
        """See base.Target."""


class LocalConnection:
    """Child processes of this one, which end with the connection."""

    runs_sh = True
    leads_process_group = True

    def __init__(self, context: CallerContext) -> None:
        self._context = context
        self.keepalive = NoLink()
        self._channels: set[LocalChannel] = set()
        self._lock = threading.Lock()
        """Guards `_channels`; `_closed` is set with it held."""
        self._closed = False

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> LocalChannel:
        """Start `/bin/sh -c command` in the caller's home directory, as the caller would."""
        if self._closed:
            raise LinkLost("`local` no longer exists", "the connection is closed")
        try:
            channel = LocalChannel(command, pty, self._context)
        except OSError as error:
            raise ConnectError("cannot start `/bin/sh`", reason(error)) from None
        if not self._keep(channel):
            channel.close()
            channel.wait(END_TIMEOUT)
            raise LinkLost("`local` no longer exists", "the connection has been closed in the meantime")
        return channel

    def _keep(self, channel: LocalChannel) -> bool:
        """Close the channel with the connection, or at once if the connection is closed already."""
        with self._lock:
            self._channels = {other for other in self._channels if not other.ended} | {channel}
            return not self._closed

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> LocalStream:
        """See base.Connection."""
        return LocalStream(destination)

    def listen(self, at: Endpoint, accept: Callable[[IncomingStream], None]) -> RemoteListener:
        """See base.Connection. Here the target is this machine."""
        why = "only ssh and vagrant have reverse forwards"
        raise SetupError(f"`local` cannot listen on `{at}`", why, "a port of this machine is there anyway")

    def close(self) -> None:
        """Close all channels and wait for their programs. One of these is the lifeline, which needs time to end
        others."""
        with self._lock:
            self._closed = True
            channels = list(self._channels)
        for channel in channels:
            channel.close()
        deadline = time.monotonic() + END_TIMEOUT
        for channel in channels:
            channel.wait(max(0.0, deadline - time.monotonic()))
