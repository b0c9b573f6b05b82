"""A target of the ssh driver: from the answer of `ssh -G` to a connection after login.

This is where the pieces meet: options, byte stream, handshake, host key, login. None of their work is done here. The
pieces import paramiko, so they are imported while `ssh -G` runs and the host is dialed, and not before they are needed.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from rdo.drivers.base import ChannelOptions, Pty
from rdo.drivers.caller import Caller
from rdo.drivers.ssh import config_lines
from rdo.drivers.ssh.dial import ConnectAhead, load_connector
from rdo.drivers.ssh.options import SshOptions, login_details, login_key, variables
from rdo.drivers.ssh.query import Query
from rdo.drivers.ssh.query_request import SshQueryRequest
from rdo.util.file_stamp import Remembered

if TYPE_CHECKING:
    import socket

    from rdo.drivers.ssh.connection import SshConnection

CONNECTOR = "rdo.drivers.ssh.connection"


def resolve(name: str, request: SshQueryRequest, query: Query, timeout: float | None) -> SshTarget:
    """The target that the query leads to. The first one of a process is also dialed while the rest of the code is
    loaded.

    Raises ConnectError.
    """
    if CONNECTOR in sys.modules:
        return SshTarget(name, request, query.options(), timeout)
    with ConnectAhead(query, timeout) as ahead:
        load_connector()
        return SshTarget(name, request, ahead.options(), timeout, ahead.stream)


class SshTarget:
    """A user on a host, and how to get there. See base.Target."""

    driver = "ssh"
    found_by = ""

    def __init__(
        self,
        name: str,
        request: SshQueryRequest,
        options: SshOptions,
        timeout: float | None,
        stream: socket.socket | None = None,
    ) -> None:
        """`stream` leads to the host, with our version already sent, for the first connection."""
        self.name = name
        self.key: Hashable = ("ssh", login_key(options))
        self.forwards = options.forwards
        self._config = Remembered(lambda: config_lines.examine(request.ssh_config), lambda text: text.places)
        self._text = self._config.get()
        # For some variables, ssh reveals only their values.
        self.variables_read = options.variables_read | self._text.variables
        self._request = request
        self._options = options
        self._timeout = timeout
        self._streams = [stream] if stream else []

    @property
    def details(self) -> Mapping[str, str]:
        """See base.Target."""
        return login_details(self._options)

    @property
    def is_current(self) -> bool:
        """See base.Target: until the user edits the ssh configuration."""
        return self._config.get() == self._text

    def options(self, caller: Caller, pty: Pty | None) -> ChannelOptions:
        """See base.Target: with the variables for SendEnv and SetEnv of the user's ssh configuration."""
        return ChannelOptions(pty, variables(self._options, caller))

    def connect(self, caller: Caller) -> SshConnection:
        """See base.Target."""
        stream = None
        with contextlib.suppress(IndexError):
            stream = self._streams.pop()
        connector = load_connector()(caller, self._request.ssh_config, self._timeout)
        return connector.connect(self._options, stream)

    def serves_here(self, here: int, there: int) -> bool:
        """See base.Target."""
        return False

    def release(self) -> None:
        """See base.Target."""
        while self._streams:
            self._streams.pop().close()
