"""The way to a host: its first steps, and the byte stream under SSH where that is a TCP connection.

What is on the other end is not looked at. Streams through other hosts and programs are chosen in
rdo.drivers.ssh.connector.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

from rdo import __version__
from rdo.drivers.ssh.monitored_stream import ByteStream
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.query import Query
from rdo.errors import ConnectError, reason
from rdo.util import threads

if TYPE_CHECKING:
    from rdo.drivers.ssh.connector import Connector

CONNECT_TIMEOUT = 15.0
"""Seconds for each step of reaching a host, where nobody said otherwise."""
CLIENT_VERSION = f"SSH-2.0-rdo_{__version__}"
"""What a client says first (RFC 4253, section 4.2)."""
FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
ATTEMPT_INTERVAL = 1.0
"""Seconds between attempts to connect, as ssh(1) has it, of which there is one unless ConnectionAttempts says more."""


class ConnectAhead:
    """The first steps to a host, taken while what speaks SSH is being loaded, which takes longer: its options, and a
    stream to it where that is a TCP connection.

    Under way while it is used as a context, and given up where that ends by an error.
    """

    def __init__(self, query: Query, timeout: float | None) -> None:
        """`timeout`: seconds for the connection, where the user's configuration does not say."""
        self._query = query
        self._timeout = timeout
        self._options: SshOptions | None = None
        self.stream: socket.socket | None = None
        """The stream, our version sent, if there is one by the time that the options are known."""
        self._failure: BaseException | None = None

    def __enter__(self) -> ConnectAhead:
        self._thread = threads.start(self._go, name="rdo-connect")
        if not self._query.is_program:  # but a module of what is to be loaded: two threads would wait for each other
            self._thread.join()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._thread.join()
        if error is not None and self.stream is not None:
            self.stream.close()

    def options(self) -> SshOptions:
        """What the user's ssh configuration says of the host. Raises ConnectError, also where nobody answers there."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        assert self._options is not None
        return self._options

    def _go(self) -> None:
        try:
            self._options = self._query.options()
            check_refused(self._options)
            if is_direct(self._options):
                self.stream = connect(self._options, step_timeout(self._options, self._timeout))
        except BaseException as error:  # for whoever waits for the options
            self._failure = error


def load_connector() -> type[Connector]:
    """Import what speaks SSH."""
    from rdo.drivers.ssh.connector import Connector

    return Connector


def step_timeout(options: SshOptions, timeout: float | None) -> float:
    """Seconds for each step of reaching the host; `timeout` is what rdo's own configuration says."""
    return timeout or options.connect_timeout or CONNECT_TIMEOUT


def is_direct(options: SshOptions) -> bool:
    """Whether the way to the host is a TCP connection."""
    return not (options.proxy_jump or options.proxy_command)


def check_refused(options: SshOptions) -> None:
    """Raises ConnectError where the user's ssh configuration asks for what must not be left out, and cannot be done."""
    if options.refused:
        what = f"the ssh configuration of `{options.host}` cannot be followed"
        raise ConnectError(what, "; ".join(options.refused), "change it, or use `ssh`")


def peer(stream: ByteStream) -> str:
    """The address at the other end of a TCP connection; empty for other ways, which lead to an unknown one."""
    if not isinstance(stream, socket.socket) or stream.family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    try:
        return str(stream.getpeername()[0])
    except OSError:  # it has gone already, as will show
        return ""


def client_version(options: SshOptions) -> str:
    """What we say to this server first, without the end of the line."""
    return f"{CLIENT_VERSION} {options.version_addendum}".rstrip()


def send_version(stream: ByteStream, options: SshOptions) -> None:
    """Send our version, so that the server says all it can while we get ready. A failure shows when we read."""
    with contextlib.suppress(OSError):
        stream.send(client_version(options).encode() + b"\r\n")


def connect(options: SshOptions, timeout: float) -> socket.socket:
    """A TCP connection to the first of the host's addresses that answers, our version sent. Raises ConnectError."""
    for _ in range(options.attempts - 1):
        with contextlib.suppress(ConnectError):
            return _connect(options, timeout)
        time.sleep(ATTEMPT_INTERVAL)
    return _connect(options, timeout)


def _connect(options: SshOptions, timeout: float) -> socket.socket:
    place = f"`{options.hostname}` port {options.port}"
    family = FAMILIES.get(options.address_family, socket.AF_UNSPEC)
    try:
        addresses = socket.getaddrinfo(options.hostname, options.port, family, socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        why = reason(error) if isinstance(error, socket.gaierror) else "it is not a valid name"
        name, _, port = options.hostname.rpartition(":")
        hint = "check the name, or set its HostName in ~/.ssh/config"
        if name and ":" not in name and port.isdecimal():
            hint = f"a port has a key of its own: `port = {port}`"
        raise ConnectError(f"cannot find the host `{options.hostname}`", why, hint) from error
    failure: OSError = OSError("no address")
    for kind, style, protocol, _, address in addresses:
        try:
            stream = _connect_to(kind, style, protocol, address, options, timeout)
        except OSError as error:
            failure = error
        else:
            send_version(stream, options)
            return stream
    if isinstance(failure, TimeoutError):
        raise ConnectError(
            f"cannot reach {place}",
            f"no response within {timeout:g} s",
            "check that it is up, and that the address is right",
        )
    hint = "check that an SSH server is running there" if isinstance(failure, ConnectionRefusedError) else ""
    raise ConnectError(f"cannot reach {place}", reason(failure), hint) from failure


def _mark(connection: socket.socket, kind: int, mark: int) -> None:
    """Set the mark of its packets, which does not matter where the system does not let us."""
    level, name = (
        (socket.IPPROTO_IPV6, socket.IPV6_TCLASS) if kind == socket.AF_INET6 else (socket.IPPROTO_IP, socket.IP_TOS)
    )
    with contextlib.suppress(OSError):
        connection.setsockopt(level, name, mark)


def _connect_to(
    kind: int, style: int, protocol: int, address: object, options: SshOptions, timeout: float
) -> socket.socket:
    connection = socket.socket(kind, style, protocol)
    try:
        connection.settimeout(timeout)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or each request waits 40 ms
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, int(options.tcp_keepalive))
        if options.qos is not None:
            _mark(connection, kind, options.qos)
        if options.bind_address:
            connection.bind((options.bind_address, 0))
        connection.connect(address)  # type: ignore[arg-type]
    except OSError:
        connection.close()
        raise
    return connection
