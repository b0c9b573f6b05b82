"""Notices that a signal has ended the command, so that nobody waits for processes that the command left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rdo.drivers.base import Channel
from rdo.errors import LinkLost, RdoError
from rdo.master.command_groups import ENDING, CommandGroups
from rdo.master.output_pump import OutputPump
from rdo.util import threads

NUMBERS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15}
"""Signals that end a command unless it handles them, with their numbers in the exit statuses of Linux targets."""

END_OF_INPUT_KEY = b"\x04"
"""Ctrl-D, which ends the input of a pty at the start of a line. Elsewhere the first one ends the line."""

KEYS = {0x03: "INT", 0x1C: "QUIT"}
"""Ctrl-C and Ctrl-\\, which the terminal on the target turns into signals."""

ENDING_TIMEOUT = 10.0
"""Seconds in which the end of a command is attributed to the signal, since it may clean up first. If Ctrl-C only
discarded a line at a prompt, and the program is left later on, that was its own end."""

HANG_UP_GRACE = 0.5
"""Seconds for each step of hanging up on a command on a pty."""

LOOK_INTERVALS = (0.01, 0.02, 0.04, 0.08, 0.1)
"""Seconds between two checks whether the command has ended; the last one repeats. Each check of a Docker engine is a
request."""

SILENCE_GRACE = 0.1
"""Seconds without output after which all output of the command has arrived."""

DRAIN_TIMEOUT = 0.6
"""Seconds after which output must come from another process, which ignores the hang-up."""


class SignalWatch:
    """Watches for the end of one command for a while after each signal."""

    def __init__(self, channel: Channel, output: OutputPump, groups: CommandGroups, *, pty: bool) -> None:
        self._channel = channel
        self._pty = pty
        self._output = output
        self._groups = groups
        self._lock = threading.Lock()
        """Guards the recently sent signals, the steps after a hang-up, and whether a thread is watching."""
        self._until: dict[str, float] = {}
        self._closing: list[tuple[float, Callable[[], object]]] = []
        """The remaining steps after a hang-up, each with its time."""
        self._watching = False

    def expect(self, name: str) -> None:
        """Note that the signal is being sent to the command."""
        if name not in NUMBERS:
            return
        with self._lock:
            self._until[name] = time.monotonic() + ENDING_TIMEOUT
            if name == "HUP" and self._pty:
                self._closing = self._steps_to_close(time.monotonic())
            if not self._watching:
                threads.start(self._watch, name="signal", broken=self._watch_failed)
                self._watching = True

    def expect_of_keys(self, typed: bytes) -> None:
        """Note that this input is being sent to the command's terminal."""
        for key in KEYS.keys() & set(typed):
            self.expect(KEYS[key])

    def ended_by_signal(self, status: int | None) -> bool:
        """Whether a recently sent signal has made the command end with this status."""
        now = time.monotonic()
        with self._lock:
            lately = [name for name, until in self._until.items() if until > now]
        return any(name in ENDING or status == 128 + NUMBERS[name] for name in lately)

    def _watch_failed(self, _: BaseException) -> None:
        """Forget the watching thread, which has failed. The next signal starts another one."""
        with self._lock:
            self._watching = False

    def _watch(self) -> None:
        intervals = iter(LOOK_INTERVALS)
        while not self._output.wait(next(intervals, LOOK_INTERVALS[-1])):
            try:
                if self._channel.has_exited() and self._end():
                    return
                self._close_terminal()
            except LinkLost as error:
                if self._is_to_end():
                    return self._output.break_off(error)
            with self._lock:
                if time.monotonic() > max(self._until.values()):
                    self._watching = False
                    return

    def _steps_to_close(self, now: float) -> list[tuple[float, Callable[[], object]]]:
        """The steps after a hang-up that has ended nothing, as with a closed terminal: the signal again, which an
        interactive bash misses if it was just about to read, and the end of input, also within a line."""
        return [
            (now + HANG_UP_GRACE, lambda: self._groups.signal("HUP")),
            (now + 2 * HANG_UP_GRACE, lambda: self._channel.try_write(END_OF_INPUT_KEY * 2)),
        ]

    def _close_terminal(self) -> None:
        with self._lock:
            is_due = bool(self._closing) and time.monotonic() > self._closing[0][0]
            step = self._closing.pop(0)[1] if is_due else None
        if step:
            step()

    def _is_to_end(self) -> bool:
        with self._lock:
            return not ENDING.isdisjoint(self._until)

    def _end(self) -> bool:
        """Hang up other processes that hold the streams, and stop waiting for them if that does not help.

        Returns False if the command was not ended by a signal; the next signal may be meant for those processes.
        """
        try:
            status = self._channel.exit_status()
        except RdoError:
            return True  # the thread that reads the output reports it
        if not self.ended_by_signal(status):
            return False
        self._groups.hang_up()
        if not self._is_drained():
            self._output.end_with(status)
        return True

    def _is_drained(self) -> bool:
        """Wait until the output has ended (True), or no more of it has to be waited for (False)."""
        deadline = time.monotonic() + DRAIN_TIMEOUT
        seen = self._output.idle_at
        while not self._output.wait(SILENCE_GRACE):
            now = self._output.idle_at
            if now is not None and (now == seen or time.monotonic() > deadline):
                return False
            seen = now
        return True
