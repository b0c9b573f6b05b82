"""Opens byte streams to the engine: over a UNIX socket, TCP, TLS, or the `ssh` of the user."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
from collections.abc import Callable, Mapping
from typing import TypeVar

from rdo.drivers.docker.answer import one_line
from rdo.drivers.docker.endpoint import FILE_LIMIT, Endpoint, TlsFiles
from rdo.drivers.docker.stream import EngineStream, SocketStream, TlsStream
from rdo.errors import ConfigError, ConnectError, SetupError, reason
from rdo.remote_sh.template import quote
from rdo.util import foreign_file, threads
from rdo.util.caller_program import start_for_caller
from rdo.util.lines import split_lines

T = TypeVar("T")

CONNECT_TIMEOUT = 15.0
"""Seconds for a host to take a connection."""

STDERR_LIMIT = 4096
"""Bytes of the stderr of `ssh` that are searched for the reason."""

END_TIMEOUT = 2.0
"""Seconds for `ssh` to end once its stream is closed."""

KEEPALIVE = (("TCP_KEEPIDLE", 15), ("TCP_KEEPALIVE", 15), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4))
"""A dead host is detected within 35 seconds. TCP_KEEPALIVE is macOS's name for TCP_KEEPIDLE."""


def dial(endpoint: Endpoint, environment: Mapping[str, str]) -> EngineStream:
    """A new stream. Raises ConnectError, and ConfigError where a certificate cannot be used."""
    if endpoint.scheme == "unix":
        return _unix(endpoint)
    if endpoint.scheme == "ssh":
        return _ssh(endpoint, environment)
    return _tcp(endpoint)


def _unix(endpoint: Endpoint) -> EngineStream:
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


def _absent(endpoint: Endpoint, error: OSError | UnicodeError) -> ConnectError:
    hint = "start it (`sudo systemctl start docker`, or Docker Desktop), or set DOCKER_HOST"
    return ConnectError(f"the Docker engine at `{endpoint.name}` does not answer", reason(error) or "no answer", hint)


def _tcp(endpoint: Endpoint) -> EngineStream:
    context = _context(endpoint.tls) if endpoint.tls else None
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
    plain = SocketStream(connection)
    if context is None:
        return plain
    try:
        return TlsStream(plain, context, endpoint.host, CONNECT_TIMEOUT)
    except OSError as error:
        plain.close()
        why = getattr(error, "verify_message", "") or reason(error) or "no answer"
        raise ConnectError(f"cannot use TLS with the Docker engine at `{endpoint.name}`", why) from None


def _context(tls: TlsFiles) -> ssl.SSLContext:
    """Raises ConfigError that names the file: a missing file has no substitute, as with `docker`."""
    ca, cert, key = (os.path.join(tls.directory, name) for name in ("ca.pem", "cert.pem", "key.pem"))
    has_ca = tls.needs_ca or os.path.lexists(ca)
    has_pair = os.path.lexists(cert) or os.path.lexists(key)
    for path in [ca] * has_ca + [cert, key] * has_pair:
        _check_readable(path)
    context = _loaded(ca, lambda: ssl.create_default_context(cafile=ca if has_ca else None))
    if has_pair:
        _loaded(cert, lambda: context.load_cert_chain(cert, key, password=_no_password))
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _check_readable(path: str) -> None:
    try:
        foreign_file.read(path, FILE_LIMIT)
    except OSError as error:
        hint = "see DOCKER_CERT_PATH and DOCKER_TLS_VERIFY"
        raise ConfigError(f"cannot read `{path}` for TLS", reason(error), hint) from None


def _no_password() -> str:
    """For a key that is encrypted; OpenSSL would ask on the terminal that the master was started from."""
    raise ValueError("the key is encrypted")


def _loaded(path: str, load: Callable[[], T]) -> T:
    try:
        return load()
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot use the certificates in `{os.path.dirname(path)}`", reason(error)) from None


def _ssh(endpoint: Endpoint, environment: Mapping[str, str]) -> EngineStream:
    """As `docker` itself does it: the engine's stream is the standard streams of a command over there."""
    near, far = socket.socketpair()
    with far:
        try:
            command, fd = ssh_command(endpoint, environment), far.fileno()
            child = start_for_caller(command, environment, stdin=fd, stdout=fd)
        except OSError as error:
            near.close()
            raise ConnectError("cannot run `ssh`", reason(error), "install OpenSSH") from None
    try:
        return SshProgramStream(near, child, endpoint)
    except SetupError:
        child.kill()
        child.communicate()
        near.close()
        raise


def ssh_command(endpoint: Endpoint, environment: Mapping[str, str]) -> list[str]:
    """The command line that leads to the engine; RDO_SSH_CONFIG stands in for ~/.ssh/config."""
    options = ["-T", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3"]
    if config := environment.get("RDO_SSH_CONFIG"):
        options += ["-F", config]
    if endpoint.user:
        options += ["-l", endpoint.user]
    if endpoint.port:
        options += ["-p", str(endpoint.port)]
    there = ["--host", quote(f"unix://{endpoint.path}")] if endpoint.path else []
    return ["ssh", *options, "--", endpoint.host, "docker", *there, "system", "dial-stdio"]


class SshProgramStream(SocketStream):
    """The near end of an `ssh`. Where it ends without any output, its stderr says why."""

    def __init__(self, near: socket.socket, child: subprocess.Popen[bytes], to: Endpoint) -> None:
        super().__init__(near, self._end)
        self._child = child
        self._endpoint = to
        self._said = b""
        self._heard = False
        self._ended = False
        self._listener = threads.start(self._listen, name="ssh")

    def _listen(self) -> None:
        """Take in what it says on stderr: the last of it is kept."""
        assert self._child.stderr
        with self._child.stderr as stderr, contextlib.suppress(OSError):
            while not self._ended and (data := os.read(stderr.fileno(), STDERR_LIMIT)):
                self._said = (self._said + data)[-STDERR_LIMIT:]

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream. Raises ConnectError where nothing ever came."""
        data = super().receive(timeout)
        if not data and not self._heard and not self._ended:
            self._listener.join(END_TIMEOUT)
            said = split_lines(self._said.decode(errors="replace").strip())
            why = one_line(said[-1]) if said else ""
            raise ConnectError(f"the Docker engine at `{self._endpoint.name}` cannot be reached", why)
        self._heard = True
        return data

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        self._child.terminate()
        try:
            self._child.wait(END_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._listener.join(END_TIMEOUT)
