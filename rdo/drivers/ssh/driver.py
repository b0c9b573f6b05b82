"""The ssh driver: a host by the name in the profile, and what the user's own ssh configuration says about it.

rdo.drivers.ssh.target connects to it, and is loaded while `ssh -G` runs.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import TYPE_CHECKING

from rdo.drivers.root import Root
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.util import own_program

if TYPE_CHECKING:
    from rdo.drivers.caller import Caller
    from rdo.drivers.ssh.target import SshTarget

ENV_VARS = ("HOME", "SSH_AUTH_SOCK")
"""The caller's variables by which ssh finds its files and its agent."""


class SshDriver:
    """Reaches a host as the user's own `ssh` would: with the same configuration, keys, agent and known hosts."""

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

    def sharing(self) -> str:
        """See base.Driver."""
        return ""

    def selector(self, caller: Caller) -> Hashable:
        """See base.Driver."""
        return (self._request, *map(caller.environment.get, ENV_VARS))

    def resolve(self, caller: Caller) -> SshTarget:
        """See base.Driver."""
        query = Query(self._request, caller.environment)
        from rdo.drivers.ssh import target

        return target.resolve(self.target, self._request, query, self._timeout)

    def ssh_query(self, environment: Mapping[str, str]) -> Query:
        """Start asking what the user's ssh configuration currently says about the host. Raises ConnectError."""
        return Query(self._request, environment, own_program.start)
