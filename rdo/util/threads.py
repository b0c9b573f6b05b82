"""Threads of the control master, one or a few that share what is to be done: where the system allows no more of them,
that is an error for the user; an unexpected exception is logged.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import log

WORKER_LIMIT = 16
"""At a time. What they do waits for others: a Docker engine takes some 50 ms to start a program, and for many at once
no less.
"""


def start(
    work: Callable[..., object],
    *arguments: object,
    name: str,
    broken: Callable[[BaseException], object] = lambda error: None,
) -> threading.Thread:
    """Run `work` in a daemon thread of that name. Raises SetupError where the system allows no more threads.

    `broken` is called, in the thread, with the unexpected exception that has ended it: whoever counts on it can tell
    those who wait, and start another one.
    """
    thread = threading.Thread(target=_run, args=(broken, work, *arguments), name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise refusal() from None
    return thread


def refusal() -> SetupError:
    """The error where the system allows no more threads."""
    why = "the limit on processes or memory has been reached"
    return SetupError("the control master cannot start a thread", why, "see `ulimit -a`")


def _run(broken: Callable[[BaseException], object], work: Callable[..., object], *arguments: object) -> None:
    try:
        work(*arguments)
    except BaseException as error:
        log.crash(error)
        with log.contained():
            broken(error)


class Workers:
    """Threads for those that must not wait: a few, and none while there is nothing to do. Usable from any thread."""

    def __init__(self, name: str) -> None:
        """`name`: of the threads."""
        self._name = name
        self._lock = threading.Lock()
        """Guards both below."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0

    def submit(self, act: Callable[[], None]) -> None:
        """Do it soon. Raises SetupError."""
        with self._lock:
            self._waiting.append(act)
            if self._threads >= WORKER_LIMIT:
                return
            self._threads += 1
        try:
            start(self._work, name=self._name)
        except SetupError:
            with self._lock:
                self._threads -= 1
            raise

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                act = self._waiting.popleft()
            with log.contained():  # a thread that ended here would be counted for ever
                act()
