"""A stream to an engine through the user's `ssh`, as `docker` itself does it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from collections.abc import Mapping

from rdo.drivers.docker.answer import brief
from rdo.drivers.docker.endpoint import EngineEndpoint
from rdo.drivers.docker.stream import EngineStream, SocketStream
from rdo.errors import ConnectError, SetupError, reason
from rdo.remote_sh.template import quote
from rdo.util import threads
from rdo.util.caller_program import start_for_caller
from rdo.util.lines import split_lines

STDERR_LIMIT = 4096
"""Bytes of ssh's stderr that are searched for the reason."""

END_TIMEOUT = 2.0
"""Seconds for `ssh` to end once its stream is closed."""


def start(endpoint: EngineEndpoint, environment: Mapping[str, str]) -> EngineStream:
    """Start `ssh`. The stream is connected to the standard streams of a command on the other host. Raises ConnectError,
    SetupError."""
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


def ssh_command(endpoint: EngineEndpoint, environment: Mapping[str, str]) -> list[str]:
    """The command line that leads to the engine. RDO_SSH_CONFIG replaces ~/.ssh/config."""
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
    """Our end of an `ssh`. If that exits without any output, its stderr contains the reason."""

    def __init__(self, near: socket.socket, child: subprocess.Popen[bytes], to: EngineEndpoint) -> None:
        super().__init__(near, self._end)
        self._child = child
        self._endpoint = to
        self._said = b""
        self._heard = False
        self._ended = False
        self._listener = threads.start(self._listen, name="ssh")

    def _listen(self) -> None:
        """Read its stderr, and keep the last of it."""
        assert self._child.stderr
        with self._child.stderr as stderr, contextlib.suppress(OSError):
            while not self._ended and (data := os.read(stderr.fileno(), STDERR_LIMIT)):
                self._said = (self._said + data)[-STDERR_LIMIT:]

    def receive(self, timeout: float | None = None) -> bytes:
        """See EngineStream. Raises ConnectError if nothing ever arrived."""
        data = super().receive(timeout)
        if not data and not self._heard and not self._ended:
            raise self._unreachable()
        self._heard = True
        return data

    def send(self, data: bytes) -> None:
        """See EngineStream. Raises ConnectError if it has ended before anything arrived."""
        try:
            super().send(data)
        except (BrokenPipeError, ConnectionResetError):
            if self._heard or self._ended:
                raise
            raise self._unreachable() from None

    def _unreachable(self) -> ConnectError:
        self._listener.join(END_TIMEOUT)
        said = split_lines(self._said.decode(errors="replace").strip())
        why = brief(said[-1]) if said else ""
        port = f"-p {self._endpoint.port} " if self._endpoint.port else ""
        user = f"{self._endpoint.user}@" if self._endpoint.user else ""
        hint = f"try `ssh {port}{user}{self._endpoint.host} docker version`"
        return ConnectError(f"the Docker engine at `{self._endpoint.name}` cannot be reached", why, hint)

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
