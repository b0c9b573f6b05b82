"""Opens byte streams to the engine: over a Unix socket, TCP, TLS, or the user's `ssh`."""

from __future__ import annotations

import socket
from collections.abc import Mapping

from rdo.drivers.docker.endpoint import EngineEndpoint
from rdo.drivers.docker.stream import EngineStream, SocketStream
from rdo.errors import ConnectError, reason

CONNECT_TIMEOUT = 15.0
"""Seconds for a host to accept a connection."""

KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPALIVE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4))
"""A dead host is detected within 35 seconds. TCP_KEEPALIVE is macOS's name for TCP_KEEPIDLE."""


def dial(endpoint: EngineEndpoint, environment: Mapping[str, str]) -> EngineStream:
    """Open a stream. Raises ConnectError, and ConfigError if a certificate cannot be used."""
    if endpoint.scheme == "unix":
        return _unix(endpoint)
    if endpoint.scheme == "ssh":
        from rdo.drivers.docker import ssh_program

        return ssh_program.start(endpoint, environment)
    return _tls(endpoint) if endpoint.tls else _tcp(endpoint)


def _unix(endpoint: EngineEndpoint) -> EngineStream:
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
    return SocketStream(connection)


def _tcp(endpoint: EngineEndpoint) -> SocketStream:
    try:
        connection = socket.create_connection((endpoint.host, endpoint.port), CONNECT_TIMEOUT)
    except (OSError, UnicodeError) as error:
        raise _absent(endpoint, error) from None
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE:
        if option := getattr(socket, name, None):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
    return SocketStream(connection)


def _tls(endpoint: EngineEndpoint) -> EngineStream:
    from rdo.drivers.docker.tls_stream import TLS_ADVICE, TlsStream, tls_context

    assert endpoint.tls
    context = tls_context(endpoint.tls)
    plain = _tcp(endpoint)
    try:
        return TlsStream(plain, context, endpoint.host, CONNECT_TIMEOUT)
    except OSError as error:
        plain.close()
        why = getattr(error, "verify_message", "") or reason(error) or "no answer"
        raise ConnectError(f"cannot use TLS with the Docker engine at `{endpoint.name}`", why, TLS_ADVICE) from None


def _absent(endpoint: EngineEndpoint, error: OSError | UnicodeError) -> ConnectError:
    hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST"
    return ConnectError(f"the Docker engine at `{endpoint.name}` does not answer", reason(error) or "no answer", hint)
