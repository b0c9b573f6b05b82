"""The byte stream under SSH: a TCP socket, or the standard streams of the user's ProxyCommand.

What is on the other end is not looked at. A stream through a jump host is made in rdo.drivers.ssh.driver.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from typing import IO

from rdo import __version__
from rdo.drivers.ssh.fields import DISPLAY_LIMIT, words
from rdo.drivers.ssh.monitored_stream import ByteStream
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import ConnectError
from rdo.fscodec import fsencode
from rdo.util.caller_program import start_for_caller

CONNECT_TIMEOUT = 15.0
"""Seconds for each step of reaching a host, where nobody said otherwise."""
CLIENT_VERSION = f"SSH-2.0-rdo_{__version__}"
"""What a client says first (RFC 4253, section 4.2)."""
FAMILIES = {"any": socket.AF_UNSPEC, "inet": socket.AF_INET, "inet6": socket.AF_INET6}
ATTEMPT_INTERVAL = 1.0
"""Seconds between attempts to connect, as ssh(1) has it, of which there is one unless ConnectionAttempts says more."""
PROXY_EXIT_TIMEOUT = 2.0
"""Seconds for a ProxyCommand to end by itself once its streams are closed and it has the signal."""
PROXY_STATUS_TIMEOUT = 0.5
"""Seconds for one that has closed its streams to end: only then is there a status to name."""
STDERR_TAIL_LIMIT = 2048
"""Bytes of a failed ProxyCommand's stderr that are looked at."""


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
        why = error.strerror if isinstance(error, socket.gaierror) else "it is not a valid name"
        hint = "check the name, or set its HostName in ~/.ssh/config"
        raise ConnectError(f"cannot find the host `{options.hostname}`", (why or "").lower(), hint) from error
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
    raise ConnectError(f"cannot reach {place}", (failure.strerror or str(failure)).lower(), hint) from failure


class ProxyCommand:
    """A program of the user's ssh configuration whose standard streams lead to the server.

    It gets one end of a socket pair: paramiko's own class polls pipes, at a tenth of the speed.
    """

    def __init__(self, command: str, environment: Mapping[str, str]) -> None:
        """Raises ConnectError if the user's shell cannot be started."""
        import tempfile  # only here: slow to load, and most hosts have no such command

        self.socket, theirs = socket.socketpair()
        self._command = command
        self._complaint: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the program
        try:
            self._process = start_for_caller(
                [environment.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],
                environment,
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._complaint.fileno(),
                new_session=True,  # a Ctrl-C on the terminal is not for it; and so its children end with it
            )
        except OSError as error:
            self.socket.close()
            self._complaint.close()
            raise ConnectError(f"cannot start the ProxyCommand `{command}`", error.strerror or str(error)) from error
        finally:
            theirs.close()

    def received_socket(self, timeout: float) -> socket.socket:
        """The connected socket that it hands over (ProxyUseFdpass). Raises ConnectError."""
        self.socket.settimeout(timeout)
        try:
            _, handed, _, _ = socket.recv_fds(self.socket, 1, 1)
        except OSError:
            handed = []
        if not handed:
            self._wait(PROXY_EXIT_TIMEOUT)
            raise ConnectError("the ProxyCommand passed no connection (ProxyUseFdpass)", self.failure())
        received = socket.socket(fileno=handed[0])
        with contextlib.suppress(OSError):  # it need be none of TCP
            received.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        received.settimeout(timeout)
        return received

    def failure(self) -> str:
        """What it said last, and its status if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PROXY_STATUS_TIMEOUT)
        status = self._process.returncode
        self._complaint.seek(max(0, os.fstat(self._complaint.fileno()).st_size - STDERR_TAIL_LIMIT))
        lines = self._complaint.read().decode(errors="replace").split("\n")
        said = [line.strip() for line in lines if line.strip()][-1:]
        ended = [] if status is None else [f"signal {-status}" if status < 0 else f"status {status}"]
        parts = [f"ProxyCommand `{words(fsencode(self._command), DISPLAY_LIMIT)}`", *ended]
        return ", ".join([*parts, *(words(line.encode(), DISPLAY_LIMIT) for line in said)])

    def close(self) -> None:
        """End it and all it started, and reap it."""
        self.socket.close()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, number)
            if self._wait(PROXY_EXIT_TIMEOUT):
                break
        self._complaint.close()

    def _wait(self, seconds: float) -> bool:
        """Whether it ended in that time."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
            return True
        return False


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
