"""The first steps to a host, and the byte stream for SSH if that is a TCP connection.

Does not look at what is on the other end. rdo.drivers.ssh.connector chooses streams through other hosts and programs.
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
"""Seconds for each step of reaching a host, unless configured otherwise."""
CLIENT_VERSION = f"SSH-2.0-rdo_{__version__}"
"""The first line that a client sends (RFC 4253, section 4.2)."""
FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
ATTEMPT_INTERVAL = 1.0
"""Seconds between attempts to connect, as with ssh(1). There is only one attempt unless ConnectionAttempts says
more."""


class ConnectAhead:
    """The first steps to a host, taken while the code for SSH is being loaded, which takes longer: its options, and a
    stream to it if that is a TCP connection.

    Used as a context: runs during the block, and is given up if that ends by an error.
    """

    def __init__(self, query: Query, timeout: float | None) -> None:
        """`timeout` is in seconds for the connection, unless the user's configuration sets it."""
        self._query = query
        self._timeout = timeout
        self._options: SshOptions | None = None
        self.stream: socket.socket | None = None
        """The stream, with our version sent, if it exists by the time that the options are known."""
        self._failure: BaseException | None = None

    def __enter__(self) -> ConnectAhead:
        self._thread = threads.start(self._go, name="rdo-connect")
        # otherwise a module of the code being loaded is needed, and two threads would wait for each other
        if not self._query.is_program:
            self._thread.join()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._thread.join()
        if error is not None and self.stream is not None:
            self.stream.close()

    def options(self) -> SshOptions:
        """What the user's ssh configuration says about the host. Raises ConnectError, also if the host does not
        answer."""
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
        except BaseException as error:  # raised again by `options`
            self._failure = error


def load_connector() -> type[Connector]:
    """Import the code for SSH."""
    from rdo.drivers.ssh.connector import Connector

    return Connector


def step_timeout(options: SshOptions, timeout: float | None) -> float:
    """Seconds for each step of reaching the host; `timeout` is from rdo's own configuration."""
    return timeout or options.connect_timeout or CONNECT_TIMEOUT


def is_direct(options: SshOptions) -> bool:
    """Whether the host is reached by a TCP connection."""
    return not (options.proxy_jump or options.proxy_command)


def check_refused(options: SshOptions) -> None:
    """Raise ConnectError if the user's ssh configuration requires something that rdo does not support and must not
    ignore."""
    if options.refused:
        what = f"the ssh configuration of `{options.host}` cannot be followed"
        raise ConnectError(what, "; ".join(options.refused), "change it, or use `ssh`")


def peer(stream: ByteStream) -> str:
    """The address at the other end of a TCP connection; empty for other streams, whose other end is unknown."""
    if not isinstance(stream, socket.socket) or stream.family not in (socket.AF_INET, socket.AF_INET6):
        return ""
    try:
        return str(stream.getpeername()[0])
    except OSError:  # the peer has gone already, as will become apparent
        return ""


def client_version(options: SshOptions) -> str:
    """Our version for this server, without the end of the line."""
    return f"{CLIENT_VERSION} {options.version_addendum}".rstrip()


def send_version(stream: ByteStream, options: SshOptions) -> None:
    """Send our version, so that the server can send all it has while we get ready. Errors are noticed when reading."""
    with contextlib.suppress(OSError):
        stream.send(client_version(options).encode() + b"\r\n")


def connect(options: SshOptions, timeout: float) -> socket.socket:
    """A TCP connection to the first address of the host that answers, with our version sent. Raises ConnectError."""
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
    """Mark the packets of a connection; if the system does not allow that, it does not matter."""
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
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # otherwise each request waits 40 ms
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
