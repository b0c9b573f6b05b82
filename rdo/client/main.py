"""Runs one command line: finds a control master that accepts its request, starting one if necessary.

An attempt that a master did not accept shares nothing with the next one but the request: see run.py.
"""

from __future__ import annotations

from rdo.client import spawn_master, tty
from rdo.client.run import NotAccepted, RunningCommand
from rdo.client.trace import Trace
from rdo.errors import SetupError
from rdo.ipc import address, sockets
from rdo.ipc.request import Request

ATTEMPTS = 5
"""Masters to try: each may be ending, or outdated, at that moment."""


class Client:
    """Has a request run by the control master that it is for."""

    def __init__(self, request: Request, trace: Trace) -> None:
        self._request = request
        self._trace = trace
        # determined now, since a terminal may go while a master starts
        self._is_foreign = request.pty and tty.is_foreign(0)

    def run(self, path: str, seen: sockets.Identity, connection: sockets.Socket | None) -> int:
        """Have the master that listens at `path` run the command, and return its exit status. Raises RdoError.

        `connection` leads to the master whose socket was `seen`, if there is one; the request has been sent.
        """
        for _ in range(ATTEMPTS):
            if connection is not None:
                self._trace.step("control socket")
                try:
                    command = RunningCommand(self._request, connection, path, self._trace, is_foreign=self._is_foreign)
                    return command.run()
                except NotAccepted as refusal:
                    connection.close()
                    elsewhere = refusal.socket
                if elsewhere:
                    path = address.socket_path(path.rpartition("/")[0], elsewhere)
                    seen, connection = self._ask(path)
                    continue
            spawn_master.start_master(path, self._request, seen)
            self._trace.step("control master")
            seen, connection = self._ask(path)
        raise SetupError(f"no control master accepted the command after {ATTEMPTS} attempts", "", "see `rdoctl status`")

    def _ask(self, path: str) -> tuple[sockets.Identity, sockets.Socket | None]:
        """Send the request to the master that listens at the path, if there is one."""
        seen, connection = sockets.identity(path), sockets.connect(path)
        if connection is not None:
            sockets.ask(connection, self._request)
        return seen, connection
