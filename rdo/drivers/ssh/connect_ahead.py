"""The first steps to a host, taken while what speaks SSH is being loaded, which takes longer: its options, and a stream
to it where that is a TCP connection.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from rdo.drivers.ssh import dial
from rdo.drivers.ssh.options import SshOptions
from rdo.drivers.ssh.query import Query
from rdo.util import threads

if TYPE_CHECKING:
    from rdo.drivers.ssh.connection import Connector


class ConnectAhead:
    """Under way while it is used as a context, and given up where that ends by an error."""

    def __init__(self, query: Query, timeout: float | None) -> None:
        """`timeout`: seconds for the connection, where the user's configuration does not say."""
        self._query = query
        self._timeout = timeout
        self._options: SshOptions | None = None
        self.stream: socket.socket | None = None
        """The stream, our version sent, if there is one by the time that the options are known."""
        self._failure: BaseException | None = None

    def __enter__(self) -> ConnectAhead:
        self._thread = threads.start(self._go, name="rdo-connect")
        if not self._query.is_program:  # but a module of what is to be loaded: two threads would wait for each other
            self._thread.join()
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._thread.join()
        if error is not None and self.stream is not None:
            self.stream.close()

    def options(self) -> SshOptions:
        """What the user's ssh configuration says of the host. Raises ConnectError, also where nobody answers there."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        assert self._options is not None
        return self._options

    def _go(self) -> None:
        try:
            self._options = self._query.options()
            dial.check_refused(self._options)
            if dial.is_direct(self._options):
                self.stream = dial.connect(self._options, dial.step_timeout(self._options, self._timeout))
        except BaseException as error:  # for whoever waits for the options
            self._failure = error


def load_connector() -> type[Connector]:
    """Import what speaks SSH."""
    from rdo.drivers.ssh.connection import Connector

    return Connector
