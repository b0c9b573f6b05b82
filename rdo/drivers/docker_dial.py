"""Opens byte streams to the engine: over a UNIX socket, TCP, TLS, or the `ssh` of the user."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from typing import IO

from rdo.drivers.docker_endpoint import Endpoint, Tls
from rdo.drivers.docker_wire import PlainWire, TlsWire, Wire
from rdo.errors import ConfigError, ConnectError
from rdo.lines import split_lines

TIMEOUT = 15.0
"""Seconds for a host to take a connection."""

END_TIMEOUT = 2.0
"""Seconds for `ssh` to end once its stream is closed."""

KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPALIVE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4))
"""A dead host is noticed within 35 seconds. TCP_KEEPALIVE is macOS's name for TCP_KEEPIDLE."""


def dial(endpoint: Endpoint, environment: Mapping[str, str]) -> Wire:
    """A new stream. Raises ConnectError, and ConfigError where the certificates are not what they should be."""
    if endpoint.scheme == "unix":
        return _unix(endpoint)
    if endpoint.scheme == "ssh":
        return _ssh(endpoint, environment)
    return _tcp(endpoint)


def _unix(endpoint: Endpoint) -> Wire:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(endpoint.host)
    except PermissionError:
        connection.close()
        hint = "add yourself to the group that owns it: `sudo usermod -aG docker $USER`, and log in again"
        raise ConnectError(f"no permission to use the Docker engine at `{endpoint.host}`", "", hint) from None
    except OSError as error:
        connection.close()
        raise _absent(endpoint, error) from None
    return PlainWire(connection)


def _absent(endpoint: Endpoint, error: OSError) -> ConnectError:
    hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST"
    return ConnectError(
        f"the Docker engine at `{endpoint.name}` does not answer", error.strerror or str(error) or "no answer", hint
    )


def _tcp(endpoint: Endpoint) -> Wire:
    context = _context(endpoint.tls) if endpoint.tls else None
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), TIMEOUT)
    except OSError as error:
        raise _absent(endpoint, error) from None
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
    plain = PlainWire(connection)
    if context is None:
        return plain
    try:
        return TlsWire(plain, context, endpoint.host, TIMEOUT)
    except OSError as error:
        plain.close()
        why = getattr(error, "verify_message", "") or error.strerror or str(error) or "no answer"
        raise ConnectError(f"no TLS with the Docker engine at `{endpoint.name}`", why) from None


def _context(tls: Tls) -> ssl.SSLContext:
    ca, cert, key = (os.path.join(tls.folder, name) for name in ("ca.pem", "cert.pem", "key.pem"))
    try:
        context = ssl.create_default_context(cafile=ca if os.path.exists(ca) else None)
        if os.path.exists(cert):
            context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cannot use the certificates in `{tls.folder}`", str(error)) from None
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _ssh(endpoint: Endpoint, environment: Mapping[str, str]) -> Wire:
    """As `docker` itself does it: the engine's stream is the standard streams of a command over there."""
    near, far = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115 it lives as long as the stream
    with far:
        try:
            command, fd = ssh_command(endpoint, environment), far.fileno()
            child = subprocess.Popen(command, stdin=fd, stdout=fd, stderr=errors, env=dict(environment))
        except OSError as error:
            near.close()
            errors.close()
            raise ConnectError("cannot run `ssh`", error.strerror or str(error), "install OpenSSH") from None
    return SshWire(near, child, errors, endpoint)


def ssh_command(endpoint: Endpoint, environment: Mapping[str, str]) -> list[str]:
    """The command line that leads to the engine; RDO_SSH_CONFIG stands in for ~/.ssh/config."""
    options = ["-T", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"]
    if config := environment.get("RDO_SSH_CONFIG"):
        options += ["-F", config]
    if endpoint.user:
        options += ["-l", endpoint.user]
    if endpoint.port:
        options += ["-p", str(endpoint.port)]
    return ["ssh", *options, "--", endpoint.host, "docker", "system", "dial-stdio"]


class SshWire(PlainWire):
    """The near end of an `ssh`. Where it ends before it said anything, what it said on stderr is the reason."""

    def __init__(self, near: socket.socket, child: subprocess.Popen[bytes], errors: IO[bytes], to: Endpoint) -> None:
        super().__init__(near, self._end)
        self._child = child
        self._errors = errors
        self._endpoint = to
        self._heard = False

    def receive(self, timeout: float | None = None) -> bytes:
        """See Wire. Raises ConnectError where nothing ever came."""
        data = super().receive(timeout)
        if not data and not self._heard and not self._errors.closed:
            self._errors.seek(0)
            said = split_lines(self._errors.read().decode(errors="replace").strip())
            raise ConnectError(
                f"the Docker engine at `{self._endpoint.name}` cannot be reached", said[-1].strip() if said else ""
            )
        self._heard = True
        return data

    def _end(self) -> None:
        if self._errors.closed:
            return
        self._errors.close()
        self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(END_TIMEOUT)
            return
        self._child.kill()
        self._child.wait()
