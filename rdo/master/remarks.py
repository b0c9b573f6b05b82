"""Lines of rdo's own for the caller of a command that runs, between what that writes. Nothing of it depends on them."""

from __future__ import annotations

import contextlib

from rdo.drivers.caller import CallerGone
from rdo.errors import SetupError, one_line
from rdo.ipc import protocol
from rdo.master.client_connection import ClientConnection
from rdo.master.pty_screen import PtyScreen
from rdo.util import threads


class Remarks:
    """For one command."""

    def __init__(self, client: ClientConnection, screen: PtyScreen | None) -> None:
        """`screen` is that of the command's pty, if it has one."""
        self._client = client
        self._screen = screen

    @property
    def can_be_shown(self) -> bool:
        """Not on a screen that a program draws on, such as an editor: it would not draw that again."""
        return self._screen is None or not self._screen.is_drawn_on

    def show_now(self, text: str) -> bool:
        """Show it if that can be: whether it was."""
        if self.can_be_shown:
            self.show(text)
            return True
        return False

    def show(self, text: str) -> None:
        """On a line of its own. In a thread: a client that is stopped takes nothing."""
        line = one_line(f"rdo: {text}")
        if self._screen is not None:
            line = self._screen.line(line)
        with contextlib.suppress(SetupError):
            threads.start(self._send, line.encode("utf-8", "replace"), name="notice")

    def _send(self, line: bytes) -> None:
        with contextlib.suppress(CallerGone):
            self._client.send(protocol.NOTICE, line)


class SilenceReport:
    """Says that the target of one command does not answer: the SilenceObserver of rdo.drivers.link_watch."""

    def __init__(self, remarks: Remarks, target: str) -> None:
        self._remarks = remarks
        self._target = target
        self._reported = False

    def falls_silent(self, seconds: float) -> None:
        """Say so, where that can be shown."""
        shown = self._remarks.show_now(f"no answer from {self._target} for {seconds:.0f} s")
        self._reported = self._reported or shown

    def answers_again(self, seconds: float) -> None:
        """Say so, if the silence was reported."""
        if self._reported:
            self._reported = False
            self._remarks.show(f"{self._target} answers again, after {seconds:.0f} s")
