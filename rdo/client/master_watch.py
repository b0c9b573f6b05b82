"""Whether the control master still reads what it is sent while a command runs. See PROTOCOL.md, section 1."""

from __future__ import annotations

import time
from collections.abc import Callable

from rdo.ipc import protocol, sockets

INTERVAL = 0.35
"""Seconds between two checks. With SECOND_LOOK, a silent master is noticed within a second."""

SECOND_LOOK = 0.25
"""Seconds until the next check if something was not read, since it may just have been sent."""

LATE_LIMIT = 1.0
"""Seconds that a check may be late. If it is later, the process had been stopped, or the machine slept."""

LOST_AFTER = 20.0
"""Seconds until the master is given up, as with a connection to a target."""

SIGNALLED_LOST_AFTER = sockets.ACCEPT_TIMEOUT
"""The same once the caller has asked for the end."""


class MasterWatch:
    """Watches one connection. Each check sends something, and the next one finds whether it was read."""

    def __init__(self, connection: sockets.Socket, outbox: sockets.Outbox, report: Callable[[str], bool]) -> None:
        """`report` shows a line to the caller, if possible. The connection to a wedged master is shut down."""
        self._connection = connection
        self._outbox = outbox
        self._report = report
        self.is_signalled = False
        """Whether a signal was sent that should end the command."""
        self.is_wedged = False
        """Whether the master was given up."""
        self._heard = self._heard_before = 0  # how often something arrived; the first is the receiving thread's
        self._alive_at = time.monotonic()
        self._is_doubtful = False
        self._is_reported = False

    def hear(self) -> None:
        """Note that something has arrived. Called by the receiving thread."""
        self._heard += 1
        if self._is_reported:
            self._mark_alive(time.monotonic())

    def run(self, is_over: Callable[[], bool]) -> None:
        """Check now and then until it is over, in a thread of its own."""
        wait = INTERVAL
        while not self.is_wedged:
            due = time.monotonic() + wait
            time.sleep(wait)
            if is_over():
                return
            wait = self.look(time.monotonic(), due)

    def look(self, now: float, due: float) -> float:
        """Do the check that was `due` at that time, and return the seconds until the next."""
        if self._heard != self._heard_before:
            self._heard_before = self._heard
            self._mark_alive(now)
        elif now - due > LATE_LIMIT:
            self._alive_at, self._is_doubtful = now, False
        elif not sockets.is_unread(self._connection):
            self._mark_alive(now)
            self.is_signalled = False  # it was read; what arrived may have been sent before
            self._outbox.send(protocol.PROBE)
        elif not self._is_doubtful:
            self._is_doubtful = True
            return SECOND_LOOK
        else:
            self._note_silence(now - self._alive_at)
        return INTERVAL

    def _mark_alive(self, now: float) -> None:
        was_reported, self._is_reported = self._is_reported, False
        if was_reported:
            self._report(f"the control master answers again, after {now - self._alive_at:.0f} s")
        self._alive_at = now
        self._is_doubtful = False

    def _note_silence(self, seconds: float) -> None:
        if seconds >= (SIGNALLED_LOST_AFTER if self.is_signalled else LOST_AFTER):
            self.is_wedged = True
            self._connection.shutdown(2)  # in both directions
        elif not self._is_reported:
            self._is_reported = self._report(f"no answer from the control master for {seconds:.0f} s")
