"""Tests for work that is done once for all who requested it before it began."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from rdo.drivers.caller import CallerGone
from rdo.errors import RdoError
from rdo.sync.shared_flight import SharedFlight

TIMEOUT = 20.0


class Callers:
    """Threads that request work. Each run of it waits until it is released."""

    def __init__(self) -> None:
        self.flight = SharedFlight()
        self.begun: list[str] = []
        self.go_on = threading.Semaphore(0)
        self.failure: BaseException | None = None
        self.ended: dict[str, BaseException | None] = {}
        self.threads: list[threading.Thread] = []

    def ask(self, name: str, look: Callable[[], object] = lambda: None) -> None:
        def work() -> None:
            self.begun.append(name)
            assert self.go_on.acquire(timeout=TIMEOUT)
            if self.failure:
                raise self.failure

        def run() -> None:
            try:
                self.flight.run(work, look)
                self.ended[name] = None
            except (RdoError, CallerGone) as error:
                self.ended[name] = error

        self.threads.append(threading.Thread(target=run))
        self.threads[-1].start()

    def settle(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.005)

    def waiting(self, count: int) -> None:
        """Wait until this many threads wait for their turn."""
        waiters = self.flight._changed._waiters  # type: ignore[attr-defined]
        self.settle(lambda: len(waiters) == count)

    def end(self) -> None:
        for _ in self.threads:
            self.go_on.release()
        for thread in self.threads:
            thread.join(TIMEOUT)


def test_callers_during_a_run_share_the_next_one() -> None:
    crowd = Callers()
    crowd.ask("first")
    crowd.settle(lambda: crowd.begun == ["first"])
    for name in ("a", "b", "c", "d"):
        crowd.ask(name)
    crowd.waiting(4)
    crowd.go_on.release()
    crowd.settle(lambda: len(crowd.begun) == 2)
    assert set(crowd.ended) == {"first"}
    crowd.end()
    assert len(crowd.begun) == 2
    assert set(crowd.ended.values()) == {None}


def test_a_failure_is_that_of_all_who_share_the_run_and_of_nobody_else() -> None:
    crowd = Callers()
    crowd.ask("first")
    crowd.settle(lambda: crowd.begun == ["first"])
    crowd.ask("a")
    crowd.ask("b")
    crowd.waiting(2)
    crowd.failure = RdoError("no")
    crowd.end()
    assert {name: str(error) for name, error in crowd.ended.items()} == {"first": "no", "a": "no", "b": "no"}
    crowd.failure = None
    crowd.ask("later")
    crowd.end()
    assert crowd.ended["later"] is None


def test_if_the_caller_that_does_the_work_leaves_another_does_it() -> None:
    crowd = Callers()
    crowd.ask("first")
    crowd.settle(lambda: crowd.begun == ["first"])
    crowd.ask("a")
    crowd.waiting(1)
    crowd.go_on.release()
    crowd.settle(lambda: len(crowd.begun) == 2)
    crowd.ask("b")
    crowd.waiting(1)
    crowd.failure = CallerGone()
    crowd.go_on.release()
    crowd.settle(lambda: len(crowd.begun) == 3)
    crowd.failure = None
    crowd.end()
    assert (crowd.ended["first"], crowd.ended["b"]) == (None, None)
    assert isinstance(crowd.ended["a"], CallerGone)


def test_a_caller_that_shares_with_one_that_left_does_the_work() -> None:
    crowd = Callers()
    crowd.ask("first")
    crowd.settle(lambda: crowd.begun == ["first"])
    crowd.ask("a")
    crowd.ask("b")
    crowd.waiting(2)
    crowd.go_on.release()
    crowd.settle(lambda: len(crowd.begun) == 2)
    crowd.failure = CallerGone()
    crowd.go_on.release()
    crowd.settle(lambda: len(crowd.begun) == 3)
    crowd.failure = None
    crowd.end()
    gone = crowd.begun[1]
    assert isinstance(crowd.ended[gone], CallerGone)
    assert crowd.ended[({"a", "b"} - {gone}).pop()] is None


def test_a_waiting_caller_can_leave() -> None:
    crowd = Callers()
    crowd.ask("first")
    crowd.settle(lambda: crowd.begun == ["first"])

    def look() -> None:
        raise CallerGone

    crowd.ask("a", look)
    crowd.settle(lambda: "a" in crowd.ended)
    assert isinstance(crowd.ended["a"], CallerGone)
    crowd.ask("b")
    crowd.waiting(1)
    crowd.end()
    assert crowd.ended["b"] is None


@pytest.mark.parametrize("count", [40])
def test_every_one_of_many_callers_is_served(count: int) -> None:
    crowd = Callers()
    for number in range(count):
        crowd.ask(str(number))
    crowd.end()
    assert set(crowd.ended.values()) == {None}
    assert len(crowd.ended) == count
