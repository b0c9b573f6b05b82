"""A login attempted while existing connections are silent: whichever succeeds or answers first is used."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from rdo.drivers.caller import Caller, CallerGone
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from rdo.pool.connection import HeldConnection
from rdo.util import threads

T = TypeVar("T")

GRACE = KEEPALIVE_TIMEOUTS.ping_timeout
"""Seconds, from the start of the login, in which a connection may still answer although the login has failed. Without a
network it fails at once."""


class RivalCaller:
    """Stands for the caller until a connection answers after all. See drivers.caller.Caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._turn = threading.Lock()
        """Guards whether the login is over. Held while the caller is asked something."""
        self._over = False

    def leave(self) -> None:
        """Stop using the caller, once a question that is being asked has been answered."""
        with self._turn:
            self._over = True

    @contextlib.contextmanager
    def _present(self) -> Iterator[Caller]:
        with self._turn:
            if self._over:
                raise CallerGone
            yield self._caller

    @property
    def environment(self) -> Mapping[str, str]:
        return self._caller.environment

    @property
    def process(self) -> int:
        return self._caller.process

    @property
    def user(self) -> str:
        return self._caller.user

    def ask(self, question: str, *, echo: bool) -> str | None:
        with self._present() as caller:
            return caller.ask(question, echo=echo)

    def screen(self) -> tuple[int, int] | None:
        with self._present() as caller:
            return caller.screen()

    def report(self, line: str) -> None:
        with self._present() as caller:
            caller.report(line)

    def progress(self, step: str) -> bool:
        with self._present() as caller:
            return caller.progress(step)

    def trace(self, line: str) -> None:
        with self._present() as caller:
            caller.trace(line)


class RivalLogin(Generic[T]):
    """A login in a thread of its own, and the silent connections that may answer sooner."""

    def __init__(self, log_in: Callable[[Caller], T], discard: Callable[[T], None], grace: float = GRACE) -> None:
        """`discard` takes the result of `log_in` if it is no longer needed."""
        self._log_in = log_in
        self._discard = discard
        self._grace = grace
        self._changed = threading.Condition()
        """Guards everything below. Notified when any of it changes."""
        self._answered = False
        self._silent: set[HeldConnection] = set()
        """Connections that may still answer."""
        self._lost = False
        self._result: T | None = None
        self._failure: BaseException | None = None

    def run(self, caller: Caller, silent: Sequence[HeldConnection]) -> T | None:
        """The result of the login; None if one of the connections answers first.

        Raises what the login fails with, but only after the connections have had as long to answer as to any ping.
        """
        rival = RivalCaller(caller)
        self._silent = set(silent)
        threads.start(self._run, rival, name="login")
        for connection in silent:
            connection.keepalive.when_heard(partial(self._look_at, connection))
            if not connection.keepalive.is_silent:  # it has answered meanwhile
                self._look_at(connection)
        deadline = time.monotonic() + self._grace
        with self._changed:
            self._changed.wait_for(lambda: self._answered or self._result is not None or self._failure is not None)
            if self._failure is not None and not isinstance(self._failure, CallerGone):
                left = max(0.0, deadline - time.monotonic())
                self._changed.wait_for(lambda: self._answered or not self._silent, left)
        rival.leave()
        with self._changed:
            self._lost = self._result is None
            if self._failure is not None and not self._answered:
                raise self._failure
            return self._result

    def _look_at(self, connection: HeldConnection) -> None:
        with self._changed:
            if connection.keepalive.ended:
                self._silent.discard(connection)
            else:
                self._answered = True
            self._changed.notify_all()

    def _run(self, caller: Caller) -> None:
        result, failure = None, None
        try:
            result = self._log_in(caller)
        except BaseException as error:
            failure = error
        with self._changed:
            self._result, self._failure = result, failure
            unwanted = self._lost and result is not None
            self._changed.notify_all()
        if unwanted and result is not None:
            self._discard(result)
