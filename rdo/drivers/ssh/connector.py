"""Makes an SSH connection: stream, handshake, host key check and login, in this order."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from rdo.drivers.caller import Caller
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS, KeepaliveTimeouts
from rdo.drivers.ssh import dial, user_commands
from rdo.drivers.ssh.algorithms import offer
from rdo.drivers.ssh.auth.askpass import asking
from rdo.drivers.ssh.auth.login import log_in
from rdo.drivers.ssh.connection import CLOSE_TIMEOUT, SshConnection
from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.host_key import HostKeyCheck
from rdo.drivers.ssh.kex_offer import NoCommonAlgorithm
from rdo.drivers.ssh.monitored_stream import ByteStream, MonitoredStream
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.paramiko_adapter import KEX_ABLE, silence
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import jump_request
from rdo.drivers.ssh.transport import SshTransport
from rdo.errors import ConnectError, SetupError

JUMP_LIMIT = 8
"""Jump hosts in a row. More indicate a loop in the configuration."""


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
        """Connect and log in. `stream` leads to the host, with our version already sent, if it exists. Raises
        ConnectError."""
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
            user_commands.run_local_command(options, self._caller)
            if transport.ended.is_set():  # the server hung up as soon as it had let us in
                why = transport.disconnect_reason or "the server closed the connection"
                raise ConnectError(
                    f"`{options.address}` ended the connection after the login", why, "see the server's log"
                )
            undo.pop_all()
            return SshConnection(transport, monitored, options, below.close, self._timeouts)

    def _dial(
        self, options: SshOptions, timeout: float, below: contextlib.ExitStack, depth: int
    ) -> tuple[ByteStream, Callable[[], str]]:
        """The byte stream to the server, with our version sent, and a function that explains its failure."""
        if dial.is_direct(options):
            return dial.connect(options, timeout), _no_reason
        if options.proxy_jump:
            stream, explain = self._jump(options, timeout, below, depth), _no_reason
        else:
            proxy = user_commands.ProxyCommand(options.proxy_command, self._caller.environment)
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
        except Exception as error:  # whatever a server can cause in paramiko and below it
            raise _failure(options, transport, monitored, error, explain(), timeout) from error
        check.check(key)
        return transport, monitored


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
    if explanation and not monitored.opening and monitored.ended:  # the program that leads there has ended, or given up
        return ConnectError(what, explanation)
    why, hint = _reason(transport, monitored, error, timeout)
    return ConnectError(what, f"{why} ({explanation})" if explanation else why, hint)


def _reason(transport: SshTransport, monitored: MonitoredStream, error: Exception, timeout: float) -> tuple[str, str]:
    """Why the handshake failed, as far as the server shows that, and what to do."""
    if not monitored.opening:
        if monitored.ended:
            hint = "it is not an SSH server, or has too many logins at once (MaxStartups): try again"
            return "it closed the connection without sending a banner", hint
        return f"it sent no banner within {timeout:g} s", "check that an SSH server is running there"
    if not transport.version:
        first = words(monitored.opening.split(b"\n")[0].strip(), DISPLAY_LIMIT)
        hint = "check that it is an SSH server; if it has too many logins at once (MaxStartups), try again"
        return f"it sent this instead of an SSH version: `{first}`", hint
    if isinstance(error, NoCommonAlgorithm):
        return str(error), error.hint
    return transport.disconnect_reason or "it closed the connection during the handshake", ""
