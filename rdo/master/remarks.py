"""rdo's own lines for the caller of a running command, shown between the lines of its output. The command does not
depend on them."""

from __future__ import annotations

import contextlib

from rdo.drivers.caller import CallerGone
from rdo.errors import SetupError, one_line
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection
from rdo.master.pty_screen import PtyScreen
from rdo.util import threads


class Remarks:
    """The lines for one command."""

    def __init__(self, client: ClientConnection, screen: PtyScreen | None) -> None:
        """`screen` is that of the command's pty, if it has one."""
        self._client = client
        self._screen = screen

    @property
    def can_be_shown(self) -> bool:
        """Whether a line can be shown now: not while a program such as an editor is using the whole screen, since it
        would not repair it."""
        return self._screen is None or not self._screen.is_drawn_on

    def show_now(self, text: str) -> bool:
        """Show a line if that is possible now, and return whether it was shown."""
        if self.can_be_shown:
            self.show(text)
            return True
        return False

    def show(self, text: str) -> None:
        """Show a line on its own. Done in a thread, since a stopped client accepts nothing."""
        line = one_line(f"rdo: {text}")
        if self._screen is not None:
            line = self._screen.line(line)
        with contextlib.suppress(SetupError):
            threads.start(self._send, line.encode("utf-8", "replace"), name="notice")

    def _send(self, line: bytes) -> None:
        with contextlib.suppress(CallerGone):
            self._client.send(protocol.NOTICE, line)


class SilenceReport:
    """Reports that the target of one command does not answer: the SilenceObserver of rdo.drivers.link_watch."""

    def __init__(self, remarks: Remarks, target: str) -> None:
        self._remarks = remarks
        self._target = target
        self._reported = False

    def falls_silent(self, seconds: float) -> None:
        """Report the silence, if a line can be shown."""
        shown = self._remarks.show_now(f"no answer from {self._target} for {seconds:.0f} s")
        self._reported = self._reported or shown

    def answers_again(self, seconds: float) -> None:
        """Report the end of the silence, if that was reported."""
        if self._reported:
            self._reported = False
            self._remarks.show(f"{self._target} answers again, after {seconds:.0f} s")
