"""Tests for when the thread runs that prepares for the next command, and for what it always does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest

from rdo.drivers.base import ChannelOptions
from rdo.errors import ConnectError
from rdo.pool import maintenance
from rdo.pool.connections import ConnectionSet
from rdo.pool.maintenance import Maintenance
from rdo.pool.shell_pool import ShellPool
from rdo.pool.warm_shells import WarmShells
from tests.leaks import wait_until

TIMEOUT = 20.0


class Connection:
    """A connection on which no shell can be opened."""

    full = False
    keepalive = SimpleNamespace(is_silent=False, ended=False)
    running = SimpleNamespace(count=0)

    def __init__(self) -> None:
        self.asked = self.settled = 0
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def begin_shell(self, opening: ChannelOptions, *, spare: bool) -> object:
        self.asked += 1
        raise ConnectError("no shell")

    def settle(self) -> None:
        assert self.may_go_on.wait(TIMEOUT)
        self.settled += 1


@pytest.fixture
def maintained() -> Iterator[tuple[Connection, Callable[[], None]]]:
    connection, warm = Connection(), WarmShells()
    warm.use(ChannelOptions(), waited=False)
    made = Maintenance(cast(ConnectionSet, [connection]), warm, lambda connection, why: None)
    yield connection, made.wake
    connection.may_go_on.set()
    warm.close()


def test_released_groups_are_dropped_although_no_shell_can_be_opened(
    maintained: tuple[Connection, Callable[[], None]],
) -> None:
    connection, wake = maintained
    wake()
    assert wait_until(lambda: (connection.asked, connection.settled) == (1, 1), TIMEOUT)


def test_it_runs_once_more_if_it_was_woken_meanwhile(maintained: tuple[Connection, Callable[[], None]]) -> None:
    connection, wake = maintained
    connection.may_go_on.clear()
    wake()
    assert wait_until(lambda: connection.asked == 1, TIMEOUT)
    wake()
    wake()
    connection.may_go_on.set()
    assert wait_until(lambda: (connection.asked, connection.settled) == (2, 2), TIMEOUT)


def test_maintenance_is_repeated_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SPARE_CONNECTION_TIMEOUT", 0.01)
    target: Any = None  # nothing is opened
    pool = ShellPool(target)
    done = threading.Semaphore(0)
    pool.add_chore(lambda: done.release())
    pool.prepare()
    for _ in range(3):
        assert done.acquire(timeout=10)
    pool.close("over")
