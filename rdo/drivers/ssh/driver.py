"""The ssh driver: from a host's name to a connection that is logged in.

Here the pieces meet: options, byte stream, handshake, host key, login. None of their work is done here. paramiko is
imported by the pieces, so they are imported while `ssh -G` runs and the host is dialed, and not before it is wanted.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.base import Caller, ChannelOptions, Pty, Root
from rdo.drivers.ssh.dial import ConnectAhead, load_connector
from rdo.drivers.ssh.options import SshOptions, SshQueryRequest, login_key, variables
from rdo.drivers.ssh.query import Query

if TYPE_CHECKING:
    import socket

    from rdo.drivers.ssh.connection import SshConnection

ENV_VARS = ("HOME", "SSH_AUTH_SOCK")
"""Variables of the caller by which ssh finds its files and its agent."""

CONNECTOR = "rdo.drivers.ssh.connection"


class SshDriver:
    """Reaches a host as the user's own `ssh` would: same configuration, keys, agent and known hosts."""

    def __init__(
        self,
        host: str,
        *,
        user: str | None,
        port: int | None,
        identity: str | None,
        jump: str | None,
        ssh_config: str | None,
        connect_timeout: float | None,
        directory: str | None,
        root: str,
    ) -> None:
        """`directory` is the target's directory for the local directory `root`. `connect_timeout` is in seconds."""
        self._request = SshQueryRequest(host, user, port, identity, jump, ssh_config)
        self._timeout = connect_timeout
        self._root = Root(root, directory) if directory else None

    switches_user = False

    @property
    def target(self) -> str:
        name = f"{self._request.user}@{self._request.host}" if self._request.user else self._request.host
        return f"{name}:{self._request.port}" if self._request.port not in (None, 22) else name

    def roots(self) -> Sequence[Root]:
        return [self._root] if self._root else []

    def unmapped_error(self, directory: str) -> None:
        """See base.Driver."""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver."""
        return (self._request, *map(caller.environment.get, ENV_VARS))

    def resolve(self, caller: Caller) -> SshTarget:
        """See base.Driver. The first target of a process is dialed, too, while the rest of the code is loaded."""
        query = Query(self._request, caller.environment)
        if CONNECTOR in sys.modules:
            return SshTarget(self.target, self._request, query.options(), self._timeout)
        with ConnectAhead(query, self._timeout) as ahead:
            load_connector()
            return SshTarget(self.target, self._request, ahead.options(), self._timeout, ahead.stream)

    def ssh_options(self, environment: Mapping[str, str]) -> SshOptions:
        """What the user's ssh configuration says of the host now. Raises ConnectError."""
        return Query(self._request, environment).options()


class SshTarget:
    """A user on a host, and the way there. See base.Target."""

    driver = "ssh"

    def __init__(
        self,
        name: str,
        request: SshQueryRequest,
        options: SshOptions,
        timeout: float | None,
        stream: socket.socket | None = None,
    ) -> None:
        """`stream`: to the host, our version sent, for the first connection."""
        self.name = name
        self.key: Hashable = ("ssh", login_key(options))
        self._request = request
        self._options = options
        self._timeout = timeout
        self._streams = [stream] if stream else []

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """With what SendEnv and SetEnv of the user's ssh configuration give."""
        return ChannelOptions(pty, variables(self._options, caller))

    def connect(self, caller: Caller) -> SshConnection:
        """See base.Target."""
        stream = None
        with contextlib.suppress(IndexError):
            stream = self._streams.pop()
        connector = load_connector()(caller, self._request.ssh_config, self._timeout)
        return connector.connect(self._options, stream)

    def release(self) -> None:
        """See base.Target."""
        while self._streams:
            self._streams.pop().close()
