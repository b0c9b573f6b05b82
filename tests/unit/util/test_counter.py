"""A count that is given back however it ends."""

from __future__ import annotations

import contextlib
import threading

from rdo.util.counter import Tally


def test_who_is_inside_counts_until_it_leaves_by_whichever_way() -> None:
    tally = Tally(threading.Condition())
    with tally:
        with contextlib.suppress(ValueError), tally:
            assert tally.count == 2
            raise ValueError
        assert tally.count == 1
    assert tally.count == 0


def test_whoever_waits_is_told_when_the_last_one_leaves() -> None:
    changed = threading.Condition()
    tally = Tally(changed)
    with tally:
        thread = threading.Thread(target=tally.__exit__)
        with changed:
            thread.start()
            assert changed.wait_for(lambda: tally.count == 0, 10)
        thread.join()
        tally.__enter__()
    assert tally.count == 0


def test_where_nobody_awaits_that_nobody_is_woken() -> None:
    changed = threading.Condition()
    tally, woken = Tally(changed, lambda: False), threading.Event()

    def wait() -> None:
        with changed:
            if changed.wait(0.2):
                woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    with tally:
        pass
    thread.join()
    assert not woken.is_set()
