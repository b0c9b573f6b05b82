"""Making and holding one SSH connection: stream, handshake, host key check and login in this order; then channels."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

from rdo.drivers.base import NO_VARIABLES, Caller, ChannelRefused, Opening, Pty
from rdo.drivers.ssh import dial, local_command, messages
from rdo.drivers.ssh.algorithms import offer
from rdo.drivers.ssh.auth.agent_forward import AgentForward
from rdo.drivers.ssh.auth.askpass import asking
from rdo.drivers.ssh.auth.login import log_in
from rdo.drivers.ssh.channel import SshChannel
from rdo.drivers.ssh.channel_socket import StreamWire
from rdo.drivers.ssh.channel_stream import Refused, SshStream
from rdo.drivers.ssh.fields import SHOWN, words
from rdo.drivers.ssh.host_key import HostKeyCheck
from rdo.drivers.ssh.keepalive import BOUNDS, Bounds, HeardSocket, Heartbeat, Wire
from rdo.drivers.ssh.kex import KEX_ABLE, Incompatible, silence
from rdo.drivers.ssh.options import Options, jump_request
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.server_faults import session_limit
from rdo.drivers.ssh.transport import Link
from rdo.errors import ConnectError, LinkLost, SetupError

END_DEADLINE = 5.0
"""Seconds for the threads of a closed connection to end."""
JUMPS = 8
"""Jump hosts in a row; more are a circle in the configuration."""


class SshConnection:
    """The Connection of rdo.drivers.base. `release` ends what lies below: a jump host's connection, a ProxyCommand."""

    runs_sh = False

    def __init__(self, link: Link, heartbeat: Heartbeat, options: Options, release: Callable[[], None]) -> None:
        self.options = options
        self._link = link
        self._target = options.address
        self._release = release
        self._agent = options.forward_agent
        self._heartbeat = heartbeat
        limit = session_limit(link.version)
        self._room = threading.Semaphore(limit) if limit else None
        if options.alive_interval:
            heartbeat.acquire()  # for good: the user wants it watched while nothing runs, too
        heartbeat.start()
        if self._agent:
            link.take_agent_streams(AgentForward(self._agent, link, self._target).accept)

    @property
    def makes_leaders(self) -> bool:
        """See the interface: dropbear makes none."""
        return self._link.is_openssh()

    def open_channel(self, command: str, pty: Pty | None, variables: Mapping[str, str] = NO_VARIABLES) -> SshChannel:
        """See the interface."""
        if self._room and not self._room.acquire(blocking=False):
            raise ChannelRefused("this server mixes up sessions that begin with sessions that end")
        self._heartbeat.acquire()
        channel = SshChannel(self._link, self._target, self._ended)
        try:
            self._link.ask(channel)
            channel.start(command, Opening(pty, variables), agent=bool(self._agent))
        except BaseException:
            channel.lose()  # where it has not ended: gives back what was acquired
            raise
        return channel

    def _ended(self) -> None:
        """Of a channel."""
        self._heartbeat.release()
        if self._room:
            self._room.release()

    def is_alive(self) -> bool:
        """See the interface."""
        return not self._link.ended.is_set() and self._heartbeat.is_alive()

    def close(self) -> None:
        """See the interface."""
        self._heartbeat.stop()
        self._link.close()
        self._link.join(END_DEADLINE)
        self._heartbeat.join(END_DEADLINE)
        self._release()

    def tunnel(self, host: str, port: int, timeout: float) -> Wire:
        """A stream from this host on to another, as long as this connection lives. Raises ConnectError."""
        self._heartbeat.acquire()  # for good: with the stream in use, silence here is fatal, too
        stream = SshStream(self._link, self._target, lambda: None)
        try:
            self._link.ask(stream, "direct-tcpip", messages.stream_to(host, port))
            stream.wait_until_open(timeout)
        except Refused as error:
            raise ConnectError(f"`{self._target}` cannot reach `{host}` port {port}", str(error).lower()) from error
        except LinkLost as error:
            raise ConnectError(f"`{self._target}` gave no way to `{host}`", error.why) from error
        return StreamWire(stream)


class Connector:
    """Makes connections for one caller."""

    def __init__(self, caller: Caller, ssh_config: str | None, timeout: float | None, bounds: Bounds = BOUNDS) -> None:
        self._caller = caller
        self._bounds = bounds
        self._ssh_config = ssh_config
        self._timeout = timeout
        silence()

    def connect(self, options: Options, wire: Wire | None = None, depth: int = 0) -> SshConnection:
        """A connection, logged in. `wire`: a greeted stream to the host, if there is one. Raises ConnectError."""
        self._caller.progress(f"connecting to `{options.address}`")
        dial.permit(options)
        for line in options.ignored:
            self._caller.trace(f"of the ssh configuration this has no effect: {line}")
        timeout = dial.patience(options, self._timeout)
        below = contextlib.ExitStack()
        with contextlib.ExitStack() as undo:
            undo.callback(below.close)
            wire, explain = (wire, _no_reason) if wire else self._stream(options, timeout, below, depth)
            caller = asking(self._caller, options)
            link, heard = self._handshake(options, wire, timeout, explain, undo, caller)
            log_in(link, options, caller)
            local_command.run(options, self._caller)
            heard.settimeout(None)
            undo.pop_all()
            heartbeat = Heartbeat(heard, link.ping, link.close, _bounds(self._bounds, options))
            return SshConnection(link, heartbeat, options, below.close)

    def _stream(
        self, options: Options, timeout: float, below: contextlib.ExitStack, depth: int
    ) -> tuple[Wire, Callable[[], str]]:
        """The byte stream to the server, greeted, and what can be said of it when it fails."""
        if dial.is_direct(options):
            return dial.connect(options, timeout), _no_reason
        if options.proxy_jump:
            wire, explain = self._jump(options, timeout, below, depth), _no_reason
        else:
            proxy = dial.ProxyCommand(options.proxy_command, self._caller.environment)
            below.callback(proxy.close)
            wire = proxy.received_socket(timeout) if options.proxy_fdpass else proxy.socket
            explain = proxy.failure
        dial.greet(wire, options)
        return wire, explain

    def _jump(self, options: Options, timeout: float, below: contextlib.ExitStack, depth: int) -> Wire:
        if depth >= JUMPS:
            raise ConnectError(f"cannot reach `{options.host}`", "its jump hosts form a loop", "look at ProxyJump")
        request = jump_request(options.proxy_jump, self._ssh_config)
        hop = self.connect(Query(request, self._caller.environment).options(), depth=depth + 1)
        below.callback(hop.close)
        return hop.tunnel(options.hostname, options.port, timeout)

    def _handshake(
        self,
        options: Options,
        wire: Wire,
        timeout: float,
        explain: Callable[[], str],
        undo: contextlib.ExitStack,
        caller: Caller,
    ) -> tuple[Link, HeardSocket]:
        heard = HeardSocket(wire)
        undo.callback(heard.close)
        check = HostKeyCheck(options, caller, dial.peer(wire) if dial.is_direct(options) else "")
        link = Link(heard, offer(options.algorithms, check.offer(), KEX_ABLE), timeout)
        link.local_version = dial.greeting(options)
        undo.callback(_end, link)
        try:
            key = link.handshake()
        except SetupError:
            raise
        except Exception as error:  # whatever a server can bring about in paramiko and below it
            raise _failure(options, link, heard, error, explain(), timeout) from error
        check.check(key)
        return link, heard


def _bounds(usual: Bounds, options: Options) -> Bounds:
    """The user's own, if there are any; the first sign of life is asked for as soon as they say, and none too late."""
    if not options.alive_interval:
        return usual
    interval = options.alive_interval
    return usual._replace(
        liveness=min(usual.liveness, interval), ping_interval=interval, dead_after=interval * (options.alive_count + 1)
    )


def _no_reason() -> str:
    return ""


def _end(link: Link) -> None:
    link.close()
    if link.ident is not None:
        link.join(END_DEADLINE)


def _failure(
    options: Options, link: Link, heard: HeardSocket, error: Exception, explanation: str, timeout: float
) -> ConnectError:
    what = f"cannot reach `{options.hostname}` port {options.port}"
    if explanation:
        return ConnectError(what, explanation)
    if not heard.opening:
        if heard.ended:
            why = "it closed the connection without sending a banner"
            return ConnectError(what, why, "too many logins at once (MaxStartups), or no SSH server: try again")
        return ConnectError(what, f"it sent no banner within {timeout:g} s", "is an SSH server running there?")
    if not link.version:
        first = words(heard.opening.split(b"\n")[0].strip(), SHOWN)
        hint = "is it an SSH server? One that has too many logins at once (MaxStartups) says so: try again then"
        return ConnectError(what, f"in place of its SSH version it sent `{first}`", hint)
    if isinstance(error, Incompatible):
        return ConnectError(what, str(error), error.hint)
    return ConnectError(what, link.disconnect_reason or "it closed the connection during the handshake")
