"""Tests for a count of active users, which leave it however they end."""

from __future__ import annotations

import contextlib
import threading

from rdo.util.active_count import ActiveCount


def test_a_user_is_counted_until_it_leaves_in_any_way() -> None:
    active = ActiveCount(threading.Condition())
    with active:
        with contextlib.suppress(ValueError), active:
            assert active.count == 2
            raise ValueError
        assert active.count == 1
    assert active.count == 0


def test_a_waiter_is_woken_when_the_last_one_leaves() -> None:
    changed = threading.Condition()
    active = ActiveCount(changed)
    with active:
        thread = threading.Thread(target=active.__exit__)
        with changed:
            thread.start()
            assert changed.wait_for(lambda: active.count == 0, 10)
        thread.join()
        active.__enter__()
    assert active.count == 0


def test_without_a_waiter_nobody_is_woken() -> None:
    changed = threading.Condition()
    active, woken = ActiveCount(changed, lambda: False), threading.Event()

    def wait() -> None:
        with changed:
            if changed.wait(0.2):
                woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    with active:
        pass
    thread.join()
    assert not woken.is_set()
