"""An SSH connection after login, and its sessions: one program each, with its start, terminal and exit status (RFC
4254, section 6). rdo.drivers.ssh.connector makes it."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum

from rdo.config.forwards import Endpoint
from rdo.drivers.base import NO_VARIABLES, ChannelOptions, ChannelRefused, Pty, PtyRefused, WindowSize
from rdo.drivers.keepalive import Keepalive
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, KeepaliveTimeouts
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.channel import OpenRefused, SshChannel
from rdo.drivers.ssh.channel_state import USABLE
from rdo.drivers.ssh.channel_stream import AgentForward, ChannelStream
from rdo.drivers.ssh.channel_table import AGENT_STREAM
from rdo.drivers.ssh.direct_stream import ForwardedStream, direct_stream
from rdo.drivers.ssh.monitored_stream import ByteStream, MonitoredStream
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.ping import Ping, keepalive_timeouts
from rdo.drivers.ssh.remote_listener import LoopbackListener, RemoteListeners, SshListener
from rdo.drivers.ssh.transport import SshTransport
from rdo.drivers.target_stream import Sink
from rdo.errors import ConnectError, LinkLost

CLOSE_TIMEOUT = 5.0
"""Seconds for the threads of a closed connection to end."""
ROOM_TIMEOUT = 2.0
"""Seconds for a server with few sessions to close one whose program has ended, which waits for the exit status
first."""
UNKNOWN_CHANNEL_TYPE = 3

DROPBEAR = re.compile(r"SSH-2\.0-dropbear_(\d{4})\.(\d+)")

BROKEN_SINCE = (2022, 82)
FIXED_IN = (2024, 86)

LIFELINE_AND_ONE = 2
"""Sessions on a connection whose first session does not end by itself."""


class SshConnection:
    """The Connection of rdo.drivers.base. `release` ends what it is based on: a jump host's connection, a
    ProxyCommand."""

    runs_sh = False

    def __init__(
        self,
        transport: SshTransport,
        stream: MonitoredStream,
        options: SshOptions,
        release: Callable[[], None],
        timeouts: KeepaliveTimeouts = KEEPALIVE_TIMEOUTS,
    ) -> None:
        self.options = options
        self._transport = transport
        self._target = options.address
        self._release = release
        self._agent = options.forward_agent
        ping = Ping(transport, stream)
        self.keepalive = Keepalive(stream.sign, ping.send, self._abandon, keepalive_timeouts(timeouts, options))
        limit = session_limit(transport.version)
        self._room = threading.Semaphore(limit) if limit else None  # channels that may still be opened
        self._channels: set[SessionChannel] = set()
        self._listeners = RemoteListeners(transport, self._target)
        if self._agent:
            agent = AgentForward(self._agent, transport, self._target)
            transport.open_channels.take_streams(AGENT_STREAM, agent.accept)

    @property
    def leads_process_group(self) -> bool:
        """See the interface: dropbear creates no process groups."""
        return self._transport.is_openssh()

    def open_channel(
        self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES
    ) -> SessionChannel:
        """See the interface."""
        self._take_room()
        channel = SessionChannel(self._transport, self._target, lambda: self._forget(channel))
        self._channels.add(channel)
        try:
            self._transport.request_channel(channel)
            channel.start(command, ChannelOptions(pty, variables), agent=bool(self._agent))
        except BaseException:
            channel.close()
            raise
        return channel

    def _take_room(self) -> None:
        """Raise ChannelRefused if the server must not have another session; see `session_limit`."""
        if self._room is None or self._room.acquire(blocking=False):
            return
        is_one_ending = any(channel.is_ending for channel in list(self._channels))
        if not (is_one_ending and self._room.acquire(timeout=ROOM_TIMEOUT)):
            raise ChannelRefused("this server confuses new sessions with ending ones")

    def _forget(self, channel: SessionChannel) -> None:
        """Forget a channel that both sides have closed, or that is lost."""
        self._channels.discard(channel)
        if self._room:
            self._room.release()

    def _abandon(self, why: str) -> None:
        """End a connection that does not answer."""
        self._transport.disconnect_reason = self._transport.disconnect_reason or why
        self._transport.close()

    def close(self) -> None:
        """See the interface."""
        self.keepalive.stop()
        self._transport.close()
        self._transport.join(CLOSE_TIMEOUT)
        self.keepalive.join(CLOSE_TIMEOUT)
        self._release()

    def listen(self, at: Endpoint, accept: Callable[[ForwardedStream], None]) -> SshListener | LoopbackListener:
        """See the interface."""
        return self._listeners.listen(at, accept)

    def open_stream(self, destination: Endpoint, sink: Sink, changed: Callable[[], None]) -> ForwardedStream:
        """See the interface."""
        return direct_stream(self._transport, self._target, destination, sink, changed)

    def tunnel(self, host: str, port: int, timeout: float) -> ByteStream:
        """A stream from this host to another one, for as long as this connection lasts. Raises ConnectError."""
        channel = SshChannel(self._transport, self._target, lambda: None)
        try:
            self._transport.request_channel(channel, "direct-tcpip", messages.stream_to(host, port))
            channel.wait_until_open(timeout)
        except OpenRefused as error:
            raise ConnectError(f"`{self._target}` cannot reach `{host}` port {port}", str(error).lower()) from error
        except LinkLost as error:
            raise ConnectError(f"`{self._target}` did not connect to `{host}`", error.why) from error
        return ChannelStream(channel)


class PendingRequest(Enum):
    """A request that the server has not answered yet."""

    PTY = "make a terminal"
    EXEC = "run a command"


class SessionChannel(SshChannel):
    """The Channel of rdo.drivers.base."""

    def __init__(self, transport: SshTransport, target: str, on_end: Callable[[], None]) -> None:
        """See SshChannel."""
        super().__init__(transport, target, on_end)
        self._pending: deque[PendingRequest] = deque()
        """In the order in which they were sent, which is that of their replies."""
        self._has_pty = False
        self._denied: PendingRequest | None = None
        """The first request that the server refused."""

    @property
    def ended(self) -> bool:
        return self._received.status is not None or self._state not in USABLE

    @property
    def is_ending(self) -> bool:
        """Whether the server is likely to close the channel soon, because its output has ended, or it was closed
        here."""
        return self.ended or self._received.has_ended

    def has_exited(self) -> bool:
        return self.ended

    def start(self, command: str, opening: ChannelOptions, *, agent: bool = False) -> None:
        """Wait for the channel, then start the program, without waiting for that. Raises ChannelRefused, LinkLost.

        `agent`: let the program use our SSH agent.
        """
        try:
            self.wait_until_open()
        except OpenRefused as error:
            if error.code == UNKNOWN_CHANNEL_TYPE:
                raise LinkLost(f"`{self._target}` does not run commands", str(error)) from None
            raise ChannelRefused(str(error)) from None
        number = self._sender.number
        if agent:
            self._sender.send(messages.forward_agent(number))
        if opening.pty is not None:
            self._has_pty = True
            self._pending.append(PendingRequest.PTY)
            self._sender.send(messages.make_pty(number, opening.pty))
        for name, value in opening.variables.items():
            self._sender.send(messages.set_variable(number, name, value))
        self._pending.append(PendingRequest.EXEC)
        self._sender.send(messages.execute(number, command))

    def stop_reading(self) -> bool:
        if not self._transport.is_openssh():
            return False
        self._sender.send_if_possible(messages.end_of_write(self._sender.number))
        return True

    def resize(self, size: WindowSize) -> None:
        self._sender.send_if_possible(messages.change_window(self._sender.number, size))

    def close(self) -> None:
        """Close the channel, and hang up on a program that has a terminal.

        sshd does that itself; dropbear does not, and keeps the session for as long as the program runs.
        """
        if self._has_pty and not self._transport.is_openssh():
            self._sender.send_if_possible(messages.hang_up(self._sender.number))
        super().close()

    def exit_status(self) -> int:
        status = self._received.wait_for_status()
        if self._denied is PendingRequest.PTY:
            raise PtyRefused(
                f"`{self._target}` did not allocate a terminal",
                "its sshd_config forbids it (PermitTTY), or it has none left",
            )
        if status is None or self._is_given_up:  # a status may arrive before the last output
            raise self._lost(self._why or "the server reported no exit status")
        return status

    def _receive_reply(self, *, granted: bool) -> None:
        request = self._pending.popleft() if self._pending else None
        if request and not granted:
            self._denied = self._denied or request
            self._why = f"the server refused to {request.value}"
            self.close()


def session_limit(server_version: str) -> int | None:
    """How many sessions may be open on a connection to this server at a time; None if it reports that itself.

    If a program ends, dropbear from 2022.82 to 2024.85, by its version string, closes another session that has not got
    its command yet, and then ends the whole connection (mkj/dropbear#321). So no session may be opened while another
    one can end.
    """
    found = DROPBEAR.match(server_version)
    if found is None:
        return None
    return LIFELINE_AND_ONE if BROKEN_SINCE <= (int(found[1]), int(found[2])) < FIXED_IN else None
