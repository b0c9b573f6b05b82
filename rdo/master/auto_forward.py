"""Forwards the ports that one command listens on, for as long as it runs."""

from __future__ import annotations

import threading

from rdo.forward.port_watch import PortWatch
from rdo.forward.watched_command import WatchedCommand
from rdo.ipc.request import Request
from rdo.master.remarks import Remarks
from rdo.paths.local_urls import named_ports
from rdo.pool.connections import ShellLease
from rdo.util import log

MISSED_LIMIT = 4
"""Ports to wait for in vain before waiting for no more: the output then names ports that are not the command's."""


class AutoForward:
    """The automatic forwards of one command."""

    def __init__(self, watch: PortWatch, lease: ShellLease, request: Request, *, maps_output: bool) -> None:
        """`maps_output`: URLs in the command's output should name the local ports."""
        self.maps_output = maps_output
        self._watch = watch
        self._request = request
        self._remarks: Remarks | None = None
        self._command = WatchedCommand(
            lease.shell.group.number, lease.connection, lease.shell.channel, self._say, self._trace
        )
        self._beginning = threading.Lock()
        """Guards whether the watch has begun."""
        self._has_begun = False
        self._missed: set[int] = set()

    def report_to(self, remarks: Remarks) -> None:
        """Report new forwards to the caller through `remarks`."""
        self._remarks = remarks

    def begin(self) -> None:
        """Start watching: the command has been running for a while."""
        with self._beginning:
            if not self._has_begun:
                self._has_begun = True
                self._watch.begin(self._command)

    def end(self) -> None:
        """Stop: the command has ended."""
        with self._beginning:
            if self._has_begun:
                self._watch.end(self._command)
            self._has_begun = True

    def look_at(self, output: bytes | memoryview) -> None:
        """Examine a piece of the command's output. Never waits and never raises, since the output is on its way to the
        user."""
        try:
            for port in named_ports(output):
                self.begin()
                self._watch.name(self._command, port)
        except Exception as error:
            log.crash(error)

    def local_port(self, port: int) -> int:
        """The local port for a port of the target that the command's output names in a URL. May wait for it."""
        self.begin()
        self._watch.name(self._command, port)
        if port in self._missed or len(self._missed) >= MISSED_LIMIT:
            return self._watch.local_port(port) or port
        local = self._watch.await_port(self._command, port)
        if not local:
            self._missed.add(port)
        return local or port

    def _say(self, line: str) -> bool:
        return self._show(line, wanted=self._request.progress)

    def _trace(self, line: str) -> None:
        self._show(line, wanted=self._request.verbose)

    def _show(self, line: str, *, wanted: bool) -> bool:
        if not wanted or self._remarks is None:
            return True
        return self._remarks.show_now(line)
