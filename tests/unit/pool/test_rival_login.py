"""Tests for a login in parallel to a connection that is silent: the first to succeed is used."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import cast

import pytest

from rdo.drivers.caller import Caller, CallerGone
from rdo.drivers.keepalive import Keepalive, SignOfLife
from rdo.drivers.silence import KeepaliveTimeouts
from rdo.errors import ConnectError
from rdo.pool.connection import HeldConnection
from rdo.pool.rival_login import RivalLogin

TIMEOUT = 20.0
"""Seconds for something that takes no time."""

HASTY = KeepaliveTimeouts(liveness=0.0, ping_timeout=0.05)


class SilentConnection:
    """A connection that was probed and is silent."""

    def __init__(self) -> None:
        self.sign = SignOfLife()
        self.keepalive = Keepalive(self.sign, lambda: None, lambda why: None, HASTY)
        assert not self.keepalive.check_alive()


class SilentCaller:
    """A caller that answers a question when the test lets it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.answer = threading.Event()

    def ask(self, question: str, *, echo: bool) -> str | None:
        self.asked.set()
        self.answer.wait(TIMEOUT)
        return question

    def progress(self, step: str) -> bool:
        return True


class Login:
    """A login that proceeds when the test lets it."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.over = threading.Event()
        self.failure: Exception | None = None
        self.discarded: list[str] = []
        self.result: object = None

    def __call__(self, caller: Caller) -> str:
        self.begun.set()
        try:
            self.go_on.wait(TIMEOUT)
            if self.failure is not None:
                raise self.failure
            caller.progress("connected")
            return "connection"
        except BaseException as error:
            self.result = error
            raise
        finally:
            self.over.set()


@pytest.fixture
def silent() -> Iterator[SilentConnection]:
    connection = SilentConnection()
    yield connection
    connection.keepalive.stop()
    connection.keepalive.join(TIMEOUT)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def race(
    threads: ThreadPoolExecutor,
    login: Callable[[Caller], str],
    silent: SilentConnection,
    discarded: list[str],
    caller: SilentCaller | None = None,
    grace: float = 0.0,
) -> Future[str | None]:
    rival = RivalLogin(login, discarded.append, grace)
    return threads.submit(rival.run, cast(Caller, caller or SilentCaller()), [cast(HeldConnection, silent)])


def test_a_login_that_is_first_is_used(threads: ThreadPoolExecutor, silent: SilentConnection) -> None:
    login = Login()
    login.go_on.set()
    assert race(threads, login, silent, login.discarded).result(TIMEOUT) == "connection"
    assert login.discarded == []


def test_a_login_that_fails_first_is_the_error(threads: ThreadPoolExecutor, silent: SilentConnection) -> None:
    login = Login()
    login.failure = ConnectError("cannot reach `devbox`")
    login.go_on.set()
    assert race(threads, login, silent, []).exception(TIMEOUT) is login.failure


def test_after_an_immediate_failure_the_connection_still_has_its_time(
    threads: ThreadPoolExecutor, silent: SilentConnection
) -> None:
    login = Login()
    login.failure = ConnectError("there is no route to `devbox`")
    login.go_on.set()
    found = race(threads, login, silent, [], grace=TIMEOUT)
    assert login.over.wait(TIMEOUT)
    assert not found.done()
    silent.sign.note()
    assert found.result(TIMEOUT) is None


def test_after_a_failed_login_the_end_of_the_connection_gives_its_error(
    threads: ThreadPoolExecutor, silent: SilentConnection
) -> None:
    login = Login()
    login.failure = ConnectError("there is no route to `devbox`")
    login.go_on.set()
    found = race(threads, login, silent, [], grace=10 * TIMEOUT)
    assert login.over.wait(TIMEOUT)
    silent.sign.end()
    assert found.exception(TIMEOUT) is login.failure


def test_a_connection_that_answers_first_is_used_and_the_login_abandoned(
    threads: ThreadPoolExecutor, silent: SilentConnection
) -> None:
    login = Login()
    found = race(threads, login, silent, login.discarded)
    assert login.begun.wait(TIMEOUT)
    silent.sign.note()
    assert found.result(TIMEOUT) is None
    login.go_on.set()
    assert login.over.wait(TIMEOUT)
    assert isinstance(login.result, CallerGone)


def test_a_login_that_succeeds_too_late_is_discarded(threads: ThreadPoolExecutor, silent: SilentConnection) -> None:
    go_on, given_back = threading.Event(), threading.Event()

    def log_in(caller: Caller) -> str:
        go_on.wait(TIMEOUT)
        return "connection"

    discarded: list[str] = []
    rival = RivalLogin(log_in, lambda result: (discarded.append(result), given_back.set())[0])
    found = threads.submit(rival.run, cast(Caller, SilentCaller()), [cast(HeldConnection, silent)])
    silent.sign.note()
    assert found.result(TIMEOUT) is None
    go_on.set()
    assert given_back.wait(TIMEOUT)
    assert discarded == ["connection"]


def test_a_silent_connection_that_ends_leaves_it_to_the_login(
    threads: ThreadPoolExecutor, silent: SilentConnection
) -> None:
    login = Login()
    found = race(threads, login, silent, login.discarded)
    assert login.begun.wait(TIMEOUT)
    silent.sign.end()
    login.go_on.set()
    assert found.result(TIMEOUT) == "connection"


def test_a_question_that_was_asked_is_answered_before_the_connection_is_used(
    threads: ThreadPoolExecutor, silent: SilentConnection
) -> None:
    """Only then does the caller have its terminal again."""
    caller, answers = SilentCaller(), []

    def log_in(caller: Caller) -> str:
        answers.append(caller.ask("password?", echo=False))
        caller.progress("connected")
        return "connection"

    found = race(threads, log_in, silent, [], caller)
    assert caller.asked.wait(TIMEOUT)
    silent.sign.note()
    assert not found.done()
    caller.answer.set()
    found.result(TIMEOUT)
    assert answers == ["password?"]
