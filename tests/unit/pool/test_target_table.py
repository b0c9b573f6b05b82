"""Tests for which target a command has, and whose connections it shares."""

from __future__ import annotations

import threading
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import pytest

from rdo.drivers.base import Target
from rdo.drivers.caller import Caller, CallerGone
from rdo.errors import ConnectError
from rdo.pool.target_pool import PoolUser, TargetPool
from rdo.pool.target_table import SPARE_LIMIT, TargetTable
from tests.leaks import wait_until
from tests.unit.pool.resolver import HOUR, TIMEOUT, ByVariable, Host, Resolver, caller_with, use


@pytest.fixture
def table() -> TargetTable:
    return TargetTable()


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> set[Hashable]:
    """The keys of targets that have a connection."""
    keys: set[Hashable] = set()
    monkeypatch.setattr("rdo.pool.connections.ConnectionSet.is_wanted", property(lambda held: held.target.key in keys))
    return keys


def closed(pool: TargetPool) -> bool:
    return pool.closed.wait(TIMEOUT)


def test_selectors_of_the_same_target_share_its_pool(table: TargetTable) -> None:
    one, alias, other = Resolver("a", "host"), Resolver("b", "host"), Resolver("c", "elsewhere")
    with use(table, one) as first, use(table, alias, "/b/.rdo.conf") as second, use(table, other) as third:
        assert first.pool is second.pool
        assert first.pool is not third.pool
        assert first.pool.users == [PoolUser("/a/.rdo.conf", "default"), PoolUser("/b/.rdo.conf", "default")]


def test_a_connected_target_is_not_resolved_again(table: TargetTable, connected: set[Hashable]) -> None:
    connected.add("host")
    driver = Resolver("a", "host")
    for _ in range(3):
        with use(table, driver):
            pass
    assert driver.resolved == 1


def test_callers_with_equal_relevant_variables_share_a_target(table: TargetTable, connected: set[Hashable]) -> None:
    connected |= {"/one", "/other"}
    driver = ByVariable("a", "host")
    found: list[Hashable] = []
    for value in ("/one", "/other", "/one", "/other"):
        with use(table, driver, caller=caller_with(KEYS=value, TERM=f"xterm{len(found)}")) as each:
            found.append(each.pool.target.key)
    assert found == ["/one", "/other", "/one", "/other"]
    assert driver.resolved == 2


def test_a_duplicate_of_a_connected_target_is_discarded(table: TargetTable, connected: set[Hashable]) -> None:
    connected.add("host")
    with use(table, Resolver("a", "host")) as first, use(table, Resolver("b", "host")) as second:
        assert [cast(Host, each.target).released for each in (first, second)] == [0, 1]


def test_an_unconnected_target_is_resolved_again(table: TargetTable) -> None:
    driver = Resolver("a", "host")
    with use(table, driver) as before:
        pass
    driver.key = "moved"
    with use(table, driver) as after:
        assert after.pool is not before.pool
    assert driver.resolved == 2


def test_a_renamed_target_serves_its_commands_and_the_next_one_has_another(
    table: TargetTable, connected: set[Hashable], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected |= {"old", "new"}
    names = {"old": "web", "new": "web"}
    monkeypatch.setattr(TargetPool, "is_still", lambda pool, target: names[str(pool.target.key)] == target.found_by)
    driver = Resolver("a", "old", found_by="web")
    with use(table, driver) as before:
        with use(table, driver) as same:
            assert same.pool is before.pool
        names["old"], driver.key = "web-1", "new"
        with use(table, driver) as after:
            assert after.pool is not before.pool
        assert not before.pool.closed.is_set()
    assert closed(before.pool)
    assert driver.resolved == 2


def test_a_slow_resolution_delays_nobody_else(table: TargetTable) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    class Hanging(Resolver):
        def resolve(self, caller: Caller) -> Target:
            hangs.set()
            assert goes_on.wait(TIMEOUT)
            raise ConnectError("no answer")

    def run() -> None:
        with use(table, Hanging("a", "host")):
            pass

    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(run)
        assert hangs.wait(TIMEOUT)
        with use(table, Resolver("b", "elsewhere")):
            pass
        goes_on.set()
        assert isinstance(waiting.exception(TIMEOUT), ConnectError)


def test_an_idle_target_is_kept_for_the_longest_time_of_any_profile(
    table: TargetTable, connected: set[Hashable]
) -> None:
    connected.add("host")
    with use(table, Resolver("a", "host"), idle_timeout=0.01), use(table, Resolver("a", "host"), "/b", HOUR) as shared:
        pass
    assert shared.pool.idle_timeout == HOUR
    table.close_idle()
    assert table.pools == [shared.pool]
    with use(table, Resolver("a", "host"), "/c", 0) as shared:
        pass
    assert (shared.pool.idle_timeout, shared.pool.idle_left) == (0, None)


@pytest.mark.parametrize(
    ("failure", "tried_again"),
    [
        pytest.param(ConnectError("`ssh -G` did not respond"), False, id="all get the error"),
        pytest.param(CallerGone(), True, id="one of the others tries if the caller has gone"),
    ],
)
def test_one_resolution_serves_all_waiters(table: TargetTable, failure: Exception, tried_again: bool) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    class Failing(Resolver):
        def resolve(self, caller: Caller) -> Target:
            self.resolved += 1
            if self.resolved > 1:
                raise ConnectError("still no answer")
            hangs.set()
            assert goes_on.wait(TIMEOUT)
            raise failure

    driver = Failing("a", "host")

    def run() -> None:
        with use(table, driver):
            pass

    with ThreadPoolExecutor() as pool:
        first = pool.submit(run)
        assert hangs.wait(TIMEOUT)
        others = [pool.submit(run) for _ in range(3)]
        assert not wait_until(lambda: any(each.done() for each in others), 0.3)
        goes_on.set()
        errors = [each.exception(TIMEOUT) for each in (first, *others)]
    assert (driver.resolved > 1) is tried_again
    assert errors[0] is failure
    assert all(isinstance(error, ConnectError) for error in errors[1:])


def test_its_idle_time_begins_when_its_last_command_has_ended(table: TargetTable, connected: set[Hashable]) -> None:
    connected.add("host")
    with use(table, Resolver("a", "host"), idle_timeout=0.01) as only:
        assert not wait_until(lambda: table.close_idle() or not table.pools, 0.1)
        assert only.pool.idle_left is None
    assert wait_until(lambda: table.close_idle() or not table.pools, TIMEOUT)
    assert closed(only.pool)


def test_a_closing_target_serves_its_commands_to_their_end_and_no_new_ones(
    table: TargetTable, connected: set[Hashable]
) -> None:
    connected.add("host")
    with use(table, Resolver("a", "host")) as old:
        table.close(lambda pool: True, "test")
        assert (table.pools, table.ending) == ([], [old.pool])
        with use(table, Resolver("a", "host")) as new:
            assert new.pool is not old.pool
        assert not old.pool.closed.is_set()
    assert closed(old.pool)
    assert (table.pools, table.ending) == ([new.pool], [])


def test_a_target_that_is_closed_while_it_is_resolved_is_not_waited_for(
    table: TargetTable, connected: set[Hashable], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected.add("host")
    with use(table, Resolver("a", "host")) as old:
        monkeypatch.setattr(Host, "release", lambda self: table.close(lambda pool: pool is old.pool, "test"))
        with use(table, Resolver("b", "host")) as new:  # whose release comes after it has found the old one
            assert new.pool is not old.pool
            assert table.ending == [old.pool]


def test_a_target_without_a_connection_is_forgotten(table: TargetTable) -> None:
    with use(table, Resolver("a", "host")) as failed:
        table.close_idle()
        assert table.pools == [failed.pool]
    table.close_idle()
    assert table.pools == []


def test_of_targets_with_the_same_name_only_the_latest_are_kept(table: TargetTable, connected: set[Hashable]) -> None:
    keys = [str(number) for number in range(SPARE_LIMIT + 2)]
    connected.update(keys)
    for key in keys:
        with use(table, Resolver(key, key, "local")):
            pass
    with use(table, Resolver("b", "other", "devbox")):
        pass
    assert [pool.target.key for pool in table.pools] == [*keys[2:], "other"]


def test_each_new_target_is_announced_once(table: TargetTable, connected: set[Hashable]) -> None:
    announced: list[int] = []
    table.opened = lambda: announced.append(1)
    connected.add("host")
    for selector in ("a", "a", "b"):
        with use(table, Resolver(selector, "host")):
            pass
    assert len(announced) == 1


def test_all_can_be_closed_at_once(table: TargetTable) -> None:
    with use(table, Resolver("a", "host")) as one, use(table, Resolver("b", "elsewhere")) as other:
        table.close(lambda pool: pool is other.pool, "test")
        table.close_all()
        assert one.pool.closed.is_set()
        assert other.pool.closed.is_set()
