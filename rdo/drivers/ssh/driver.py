"""The ssh driver: from a host's name to a connection that is logged in.

Here the pieces meet: options, byte stream, handshake, host key, login. None of their work is done here. paramiko is
imported by the pieces, so they are imported while `ssh -G` runs and the host is dialed, and not before it is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.base import Caller, Root
from rdo.drivers.ssh.dial import ConnectAhead, load_connector
from rdo.drivers.ssh.options import SshOptions, SshQueryRequest, variables
from rdo.drivers.ssh.query import Query

if TYPE_CHECKING:
    from rdo.drivers.ssh.connection import SshConnection


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
        self._options: SshOptions | None = None

    switches_user = False

    @property
    def target(self) -> str:
        name = f"{self._request.user}@{self._request.host}" if self._request.user else self._request.host
        return f"{name}:{self._request.port}" if self._request.port not in (None, 22) else name

    def roots(self) -> Sequence[Root]:
        return [self._root] if self._root else []

    def connect(self, caller: Caller) -> SshConnection:
        with ConnectAhead(Query(self._request, caller.environment), self._timeout) as ahead:
            connector = load_connector()(caller, self._request.ssh_config, self._timeout)
            connection = connector.connect(ahead.options(), ahead.stream)
        self._options = connection.options
        return connection

    def ssh_options(self, environment: Mapping[str, str]) -> SshOptions:
        """What the user's ssh configuration says of the host now. Raises ConnectError."""
        return Query(self._request, environment).options()

    def unmapped_error(self, directory: str) -> None:
        """See base.Driver."""

    def sharing_key(self, caller: Caller) -> None:
        """See base.Driver."""

    def variables(self, caller: Caller) -> Mapping[str, str]:
        """What SendEnv and SetEnv of the user's ssh configuration give, as of the last connect."""
        return variables(self._options, caller)
