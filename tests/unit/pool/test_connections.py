"""Tests for callers that find no room on the connections to a target: one of them logs in for all who wait."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from rdo.drivers.base import ChannelOptions, Connection, Target
from rdo.drivers.caller import Caller, CallerGone
from rdo.errors import ConnectError
from rdo.pool.connections import ConnectionSet, ShellLease

TIMEOUT = 20.0
"""Seconds for something that takes no time."""

ROOM = cast(ShellLease, object())
"""A shell on an existing connection."""


class RefusingDriver:
    """A driver whose logins fail with the given error, when the test lets them."""

    name = "devbox"

    def __init__(self) -> None:
        self.logins = 0
        self.failures: queue.Queue[Exception] = queue.Queue()

    def connect(self, caller: Caller) -> Connection:
        self.logins += 1
        raise self.failures.get(timeout=TIMEOUT)


class WaitingCaller:
    """A caller that records its progress."""

    def __init__(self) -> None:
        self.connects = threading.Event()
        self.waits = threading.Event()

    def progress(self, step: str) -> bool:
        (self.waits if step.startswith("waiting") else self.connects).set()
        return True


@pytest.fixture
def driver() -> RefusingDriver:
    return RefusingDriver()


@pytest.fixture
def held(driver: RefusingDriver) -> ConnectionSet:
    return ConnectionSet(cast(Target, driver), lambda _: False)


def nowhere() -> None:
    """There is no room."""


def open_shell(held: ConnectionSet, caller: WaitingCaller, find_room: Callable[[], ShellLease | None]) -> ShellLease:
    return held.open(cast(Caller, caller), ChannelOptions, find_room)


def test_all_waiters_get_the_error_of_a_failed_login(held: ConnectionSet, driver: RefusingDriver) -> None:
    first, others = WaitingCaller(), [WaitingCaller() for _ in range(3)]
    with ThreadPoolExecutor() as threads:
        results = [threads.submit(open_shell, held, first, nowhere)]
        assert first.connects.wait(TIMEOUT)
        results += [threads.submit(open_shell, held, other, nowhere) for other in others]
        assert all(other.waits.wait(TIMEOUT) for other in others)
        failure = ConnectError("wrong password")
        driver.failures.put(failure)
        assert [result.exception(TIMEOUT) for result in results] == [failure] * 4
    assert driver.logins == 1


def test_a_failure_while_a_caller_looked_for_room_is_its_error_too(held: ConnectionSet, driver: RefusingDriver) -> None:
    failure = ConnectError("wrong password")

    def look() -> None:
        driver.failures.put(failure)
        with pytest.raises(ConnectError):
            open_shell(held, WaitingCaller(), nowhere)

    with pytest.raises(ConnectError) as caught:
        open_shell(held, WaitingCaller(), look)
    assert (caught.value, driver.logins) == (failure, 1)


def test_a_failure_of_an_earlier_login_meanwhile_is_its_error_too(held: ConnectionSet, driver: RefusingDriver) -> None:
    first, failure = WaitingCaller(), ConnectError("wrong password")
    with ThreadPoolExecutor() as threads:
        failed = threads.submit(open_shell, held, first, nowhere)
        assert first.connects.wait(TIMEOUT)

        def look() -> None:
            driver.failures.put(failure)
            assert failed.exception(TIMEOUT) is failure

        with pytest.raises(ConnectError) as caught:
            open_shell(held, WaitingCaller(), look)
    assert (caught.value, driver.logins) == (failure, 1)


def test_a_caller_after_a_failure_logs_in_again(held: ConnectionSet, driver: RefusingDriver) -> None:
    for number in range(2):
        driver.failures.put(ConnectError(str(number)))
        with pytest.raises(ConnectError, match=str(number)):
            open_shell(held, WaitingCaller(), nowhere)


def test_if_the_caller_that_logs_in_goes_away_another_logs_in(held: ConnectionSet, driver: RefusingDriver) -> None:
    first, second = WaitingCaller(), WaitingCaller()
    with ThreadPoolExecutor() as threads:
        gone = threads.submit(open_shell, held, first, nowhere)
        assert first.connects.wait(TIMEOUT)
        waiting = threads.submit(open_shell, held, second, nowhere)
        assert second.waits.wait(TIMEOUT)
        driver.failures.put(CallerGone())
        driver.failures.put(ConnectError("wrong password"))
        assert isinstance(gone.exception(TIMEOUT), CallerGone)
        assert isinstance(waiting.exception(TIMEOUT), ConnectError)
    assert driver.logins == 2


def test_after_waiting_a_caller_looks_for_room_first(held: ConnectionSet, driver: RefusingDriver) -> None:
    first, second = WaitingCaller(), WaitingCaller()
    found = iter([None, ROOM])
    with ThreadPoolExecutor() as threads:
        gone = threads.submit(open_shell, held, first, nowhere)
        assert first.connects.wait(TIMEOUT)
        waiting = threads.submit(open_shell, held, second, lambda: next(found))
        assert second.waits.wait(TIMEOUT)
        driver.failures.put(CallerGone())
        assert waiting.result(TIMEOUT) is ROOM
        assert gone.exception(TIMEOUT)
    assert driver.logins == 1
