"""A login that is tried beside connections that are silent: whichever is there first is used."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from rdo.drivers.base import Caller, CallerGone
from rdo.pool.connection import HeldConnection
from rdo.util import threads

T = TypeVar("T")


class RivalCaller:
    """The caller, until it is served by a connection that answers after all. See drivers.base.Caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._turn = threading.Lock()
        """Guards whether it is over; held while the caller is asked something."""
        self._over = False

    def leave(self) -> None:
        """Let the caller go. What it is just asked is answered first."""
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
    """One login in a thread of its own, and the silent connections that may be faster."""

    def __init__(self, log_in: Callable[[Caller], T], discard: Callable[[T], None]) -> None:
        """`discard` takes what `log_in` results in when it is not needed any more."""
        self._log_in = log_in
        self._discard = discard
        self._settled = threading.Event()
        self._lock = threading.Lock()
        """Guards who was first."""
        self._lost = False
        self._result: T | None = None
        self._failure: BaseException | None = None

    def run(self, caller: Caller, silent: Sequence[HeldConnection]) -> T | None:
        """What the login results in; None if one of the connections answers first. Raises what the login fails with."""
        rival = RivalCaller(caller)
        threads.start(self._run, rival, name="login")
        for connection in silent:
            connection.keepalive.when_heard(partial(self._look_at, connection))
            if not connection.keepalive.is_silent:  # in the meantime
                self._look_at(connection)
        self._settled.wait()
        rival.leave()
        with self._lock:
            self._lost = self._result is None and self._failure is None
        if self._failure is not None:
            raise self._failure
        return self._result

    def _look_at(self, connection: HeldConnection) -> None:
        if not connection.keepalive.ended:
            self._settled.set()

    def _run(self, caller: Caller) -> None:
        result, failure = None, None
        try:
            result = self._log_in(caller)
        except BaseException as error:
            failure = error
        with self._lock:
            self._result, self._failure = result, failure
            unwanted = self._lost and result is not None
        self._settled.set()
        if unwanted and result is not None:
            self._discard(result)
