"""Starts threads in the control master, alone or as a small pool. If the system allows no more threads, the user gets
an error; an unexpected exception in a thread is logged."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable

from rdo.errors import SetupError
from rdo.util import log

WORKER_LIMIT = 16
"""Threads at a time. They mostly wait for others: a Docker engine takes some 50 ms to start a program, even when it
starts many at once."""


def start(
    work: Callable[..., object],
    *arguments: object,
    name: str,
    broken: Callable[[BaseException], object] = lambda error: None,
) -> threading.Thread:
    """Run `work` in a daemon thread of that name. Raises SetupError if the system allows no more threads.

    If an unexpected exception ends the thread, `broken` is called with it in that thread, to inform those who wait for
    the thread, or to start another.
    """
    thread = threading.Thread(target=_run, args=(broken, work, *arguments), name=name, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        raise refusal() from None
    return thread


def refusal() -> SetupError:
    """The error for a system that allows no more threads."""
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
    """Runs functions for threads that must not wait, in a few threads that exist only while there is work.
    Thread-safe."""

    def __init__(self, name: str) -> None:
        """`name` is the name of the threads."""
        self._name = name
        self._lock = threading.Lock()
        """Guards the two attributes below."""
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0

    def submit(self, act: Callable[[], None]) -> None:
        """Run the function soon. Raises SetupError."""
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
            with log.contained():  # a thread that ended here would still be counted
                act()
