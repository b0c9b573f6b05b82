"""What one command listens on, for as long as it runs: what its session and its output have to do with that."""

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
"""Ports that output has waited for in vain until no more is waited for: it names what is not the command's."""


class AutoForward:
    """Of one command."""

    def __init__(self, watch: PortWatch, lease: ShellLease, request: Request, *, maps_output: bool) -> None:
        """`maps_output`: URLs in its output are to name its ports as they are here."""
        self.maps_output = maps_output
        self._watch = watch
        self._request = request
        self._remarks: Remarks | None = None
        self._command = WatchedCommand(
            lease.shell.group.number, lease.connection, lease.shell.channel, self._say, self._trace
        )
        self._beginning = threading.Lock()
        """Guards whether it was begun."""
        self._has_begun = False
        self._missed: set[int] = set()

    def report_by(self, remarks: Remarks) -> None:
        """Report to the caller by these what is forwarded."""
        self._remarks = remarks

    def begin(self) -> None:
        """The command is not a short one."""
        with self._beginning:
            if not self._has_begun:
                self._has_begun = True
                self._watch.begin(self._command)

    def end(self) -> None:
        """It has ended."""
        with self._beginning:
            if self._has_begun:
                self._watch.end(self._command)
            self._has_begun = True

    def look_at(self, output: bytes | memoryview) -> None:
        """It wrote this. Does not wait, and raises nothing: the output is on its way."""
        try:
            for port in named_ports(output):
                self.begin()
                self._watch.name(self._command, port)
        except Exception as error:
            log.crash(error)

    def local_port(self, port: int) -> int:
        """A port of the target, by a URL in the command's output, as it is here. May wait for it."""
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
