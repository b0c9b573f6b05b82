"""Whether a target may be used. If necessary, this is asked on the caller's terminal before anything is run or
connected."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from rdo.config.load import Config
from rdo.drivers.caller import Caller
from rdo.errors import RdoError, SetupError
from rdo.trust import prompt, store
from rdo.trust.prompt import Screen
from rdo.trust.question import question
from rdo.trust.request import TrustRequest
from rdo.trust.store import TrustStatus
from rdo.util.file_stamp import Stamp, stamp

ANSWER_TIMEOUT = 600.0
"""Seconds that a command waits for the answer to another command's question, since someone has to read the values."""


class TrustCheck:
    """The check of one config and profile, for callers with the same state directory. Thread-safe."""

    def __init__(self, config: Config, programs: Callable[[], Sequence[str]], records: str) -> None:
        """`programs` returns the files that the driver runs on this machine; see rdo.drivers.registry.

        `records` is the directory with the records of what was allowed.
        """
        self._config = config
        self._programs = programs
        self._records = records
        self._passed: tuple[tuple[str, Stamp], ...] | None = None
        self._refusals = 0
        self._asking = threading.Lock()
        """Guards the question on the terminal and its answer, since only one is asked at a time. Held until it is
        answered."""

    def check(self, caller: Caller) -> None:
        """Raise RdoError unless the user has allowed the config, or does so when asked. Costs a stat for each program,
        and one for the records."""
        refusals = self._refusals
        programs = self._programs()
        now = tuple((path, stamp(path)) for path in (self._records, *programs))
        if now == self._passed or (store.is_bypassed(caller.environment) and not self._config.exposed):
            return
        if not self._asking.acquire(timeout=ANSWER_TIMEOUT):
            why = f"waited {ANSWER_TIMEOUT:.0f} s"
            raise RdoError("another terminal is still showing the trust prompt", why, "answer it there")
        try:
            self._ask(caller, programs, refusals)
            self._passed = now  # the stamp was taken first, so that a later change is asked about
        finally:
            self._asking.release()

    def _ask(self, caller: Caller, programs: Sequence[str], refusals: int) -> None:
        """Ask, unless another command was refused while this one waited, for which one answer is enough."""
        request = store.current_request(self._config, programs)
        status = store.status(request, caller.environment)
        if status.is_allowed:
            return
        answered = status is not TrustStatus.EXPOSED and refusals == self._refusals and _ask(request, caller)
        if not answered:
            self._refusals += answered is False
            raise store.refusal(request, status)
        _record(request, caller)


def _ask(request: TrustRequest, caller: Caller) -> bool | None:
    """Ask, and return the answer; None if there is no terminal."""
    screen = caller.screen()
    if screen is None:
        return None
    text = question(request, caller.environment, Screen(*screen))
    return prompt.is_allowed(partial(caller.ask, echo=True), text)


def _record(request: TrustRequest, caller: Caller) -> None:
    try:
        store.Store(caller.environment).add(request)
    except SetupError as error:
        # the user has allowed it, so it is not refused; the question will be asked again
        caller.report(f"rdo: {error}")
