"""Tells who waits for a command that its target does not answer."""

from __future__ import annotations

from rdo.master.remarks import Remarks


class SilenceReport:
    """For one command: the SilenceObserver of rdo.drivers.base."""

    def __init__(self, remarks: Remarks, target: str) -> None:
        self._remarks = remarks
        self._target = target
        self._reported = False

    def falls_silent(self, seconds: float) -> None:
        """Say so, where that can be shown."""
        if self._remarks.can_be_shown:
            self._reported = True
            self._remarks.show(f"no answer from {self._target} for {seconds:.0f} s")

    def answers_again(self, seconds: float) -> None:
        """Say so, if the silence was reported."""
        if self._reported:
            self._reported = False
            self._remarks.show(f"{self._target} answers again, after {seconds:.0f} s")
