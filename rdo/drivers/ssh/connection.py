"""Making and holding one SSH connection: stream, handshake, host key check and login in this order; then channels."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from rdo.drivers.base import NO_VARIABLES, Caller, ChannelOptions, ChannelRefused, Pty
from rdo.drivers.keepalive import Keepalive
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, KeepaliveTimeouts
from rdo.drivers.ssh import dial, local_command, messages
from rdo.drivers.ssh.algorithms import offer
from rdo.drivers.ssh.auth.agent_forward import AgentForward
from rdo.drivers.ssh.auth.askpass import asking
from rdo.drivers.ssh.auth.login import log_in
from rdo.drivers.ssh.channel import OpenRefused, SshChannel
from rdo.drivers.ssh.channel_stream import ChannelStream
from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.host_key import HostKeyCheck
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.drivers.ssh.monitored_stream import ByteStream, MonitoredStream
from rdo.drivers.ssh.options import SshOptions, jump_request
from rdo.drivers.ssh.paramiko_adapter import KEX_ABLE, silence
from rdo.drivers.ssh.ping import Ping
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.server_faults import session_limit
from rdo.drivers.ssh.session_channel import SessionChannel
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError, LinkLost, SetupError

CLOSE_TIMEOUT = 5.0
"""Seconds for the threads of a closed connection to end."""
ROOM_TIMEOUT = 2.0
"""Seconds for a server with few sessions to close one whose program has ended: it waits for the exit status first."""
JUMP_LIMIT = 8
"""Jump hosts in a row; more are a circle in the configuration."""


class SshConnection:
    """The Connection of rdo.drivers.base. `release` ends what lies below: a jump host's connection, a ProxyCommand."""

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
        self.keepalive = Keepalive(stream.sign, ping.send, self._abandon, _timeouts(timeouts, options))
        limit = session_limit(transport.version)
        self._room = threading.Semaphore(limit) if limit else None  # channels that may be opened
        self._channels: set[SessionChannel] = set()
        if self._agent:
            transport.take_agent_streams(AgentForward(self._agent, transport, self._target).accept)

    @property
    def leads_process_group(self) -> bool:
        """See the interface: dropbear makes no process groups."""
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
        """Raises ChannelRefused where the server must not have one more session: see rdo.drivers.ssh.server_faults."""
        if self._room is None or self._room.acquire(blocking=False):
            return
        is_one_ending = any(channel.is_ending for channel in list(self._channels))
        if not (is_one_ending and self._room.acquire(timeout=ROOM_TIMEOUT)):
            raise ChannelRefused("this server confuses new sessions with ending ones")

    def _forget(self, channel: SessionChannel) -> None:
        """It is closed by both sides, or lost."""
        self._channels.discard(channel)
        if self._room:
            self._room.release()

    def _abandon(self, why: str) -> None:
        """End a connection that is not answered on."""
        self._transport.disconnect_reason = self._transport.disconnect_reason or why
        self._transport.close()

    def close(self) -> None:
        """See the interface."""
        self.keepalive.stop()
        self._transport.close()
        self._transport.join(CLOSE_TIMEOUT)
        self.keepalive.join(CLOSE_TIMEOUT)
        self._release()

    def tunnel(self, host: str, port: int, timeout: float) -> ByteStream:
        """A stream from this host on to another, as long as this connection lives. Raises ConnectError."""
        channel = SshChannel(self._transport, self._target, lambda: None)
        try:
            self._transport.request_channel(channel, "direct-tcpip", messages.stream_to(host, port))
            channel.wait_until_open(timeout)
        except OpenRefused as error:
            raise ConnectError(f"`{self._target}` cannot reach `{host}` port {port}", str(error).lower()) from error
        except LinkLost as error:
            raise ConnectError(f"`{self._target}` did not connect to `{host}`", error.why) from error
        return ChannelStream(channel)


class Connector:
    """Makes connections for one caller."""

    def __init__(
        self,
        caller: Caller,
        ssh_config: str | None,
        timeout: float | None,
        timeouts: KeepaliveTimeouts = KEEPALIVE_TIMEOUTS,
    ) -> None:
        self._caller = caller
        self._timeouts = timeouts
        self._ssh_config = ssh_config
        self._timeout = timeout
        silence()

    def connect(self, options: SshOptions, stream: ByteStream | None = None, depth: int = 0) -> SshConnection:
        """A connection, logged in. `stream`: to the host, our version sent, if there is one. Raises ConnectError."""
        self._caller.progress(f"connecting to `{options.address}`")
        dial.check_refused(options)
        for line in options.ignored:
            self._caller.trace(f"ignored in the ssh configuration: {line}")
        timeout = dial.step_timeout(options, self._timeout)
        below = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.callback(below.close)
            stream, explain = (stream, _no_reason) if stream else self._dial(options, timeout, below, depth)
            caller = asking(self._caller, options)
            transport, monitored = self._handshake(options, stream, timeout, explain, undo, caller)
            log_in(transport, options, caller)
            local_command.run(options, self._caller)
            if transport.ended.is_set():  # the server hung up as soon as it had let us in
                why = transport.disconnect_reason or "the server closed the connection"
                raise ConnectError(f"`{options.address}` ended the connection after the login", why)
            undo.pop_all()
            return SshConnection(transport, monitored, options, below.close, self._timeouts)

    def _dial(
        self, options: SshOptions, timeout: float, below: contextlib.ExitStack, depth: int
    ) -> tuple[ByteStream, Callable[[], str]]:
        """The byte stream to the server, our version sent, and what can be said of it when it fails."""
        if dial.is_direct(options):
            return dial.connect(options, timeout), _no_reason
        if options.proxy_jump:
            stream, explain = self._jump(options, timeout, below, depth), _no_reason
        else:
            proxy = dial.ProxyCommand(options.proxy_command, self._caller.environment)
            below.callback(proxy.close)
            stream = proxy.received_socket(timeout) if options.proxy_fdpass else proxy.socket
            explain = proxy.failure
        dial.send_version(stream, options)
        return stream, explain

    def _jump(self, options: SshOptions, timeout: float, below: contextlib.ExitStack, depth: int) -> ByteStream:
        if depth >= JUMP_LIMIT:
            raise ConnectError(f"cannot reach `{options.host}`", "its jump hosts form a loop", "look at ProxyJump")
        request = jump_request(options.proxy_jump, self._ssh_config)
        hop = self.connect(Query(request, self._caller.environment).options(), depth=depth + 1)
        below.callback(hop.close)
        return hop.tunnel(options.hostname, options.port, timeout)

    def _handshake(
        self,
        options: SshOptions,
        stream: ByteStream,
        timeout: float,
        explain: Callable[[], str],
        undo: contextlib.ExitStack,
        caller: Caller,
    ) -> tuple[SshTransport, MonitoredStream]:
        monitored = MonitoredStream(stream)
        undo.callback(monitored.close)
        check = HostKeyCheck(options, caller, dial.peer(stream) if dial.is_direct(options) else "")
        transport = SshTransport(monitored, offer(options.algorithms, check.offer(), KEX_ABLE), timeout)
        transport.local_version = dial.client_version(options)
        undo.callback(_end, transport)
        try:
            key = transport.handshake()
        except SetupError:
            raise
        except Exception as error:  # whatever a server can bring about in paramiko and below it
            raise _failure(options, transport, monitored, error, explain(), timeout) from error
        check.check(key)
        return transport, monitored


def _timeouts(usual: KeepaliveTimeouts, options: SshOptions) -> KeepaliveTimeouts:
    """The user's own, if there are any: also while the connection is not in use."""
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


def _no_reason() -> str:
    return ""


def _end(transport: SshTransport) -> None:
    transport.close()
    if transport.ident is not None:
        transport.join(CLOSE_TIMEOUT)


def _failure(
    options: SshOptions,
    transport: SshTransport,
    monitored: MonitoredStream,
    error: Exception,
    explanation: str,
    timeout: float,
) -> ConnectError:
    what = f"cannot reach `{options.hostname}` port {options.port}"
    if explanation:
        return ConnectError(what, explanation)
    if not monitored.opening:
        if monitored.ended:
            why = "it closed the connection without sending a banner"
            return ConnectError(
                what, why, "it is not an SSH server, or has too many logins at once (MaxStartups): try again"
            )
        return ConnectError(
            what, f"it sent no banner within {timeout:g} s", "check that an SSH server is running there"
        )
    if not transport.version:
        first = words(monitored.opening.split(b"\n")[0].strip(), DISPLAY_LIMIT)
        hint = "check that it is an SSH server; if it has too many logins at once (MaxStartups), try again"
        return ConnectError(what, f"it sent this instead of an SSH version: `{first}`", hint)
    if isinstance(error, NoCommonAlgorithm):
        return ConnectError(what, str(error), error.hint)
    return ConnectError(what, transport.disconnect_reason or "it closed the connection during the handshake")
