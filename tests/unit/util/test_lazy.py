"""Tests for values that are created on first use."""

from __future__ import annotations

import threading

import pytest

from rdo.util.lazy import Lazy

TIMEOUT = 20.0


def test_it_is_created_on_first_use_and_kept() -> None:
    made: list[object] = []

    def make() -> object:
        made.append(object())
        return made[-1]

    one = Lazy(make)
    assert (one.value, made) == (None, [])
    assert one.get() is one.get() is one.value
    assert len(made) == 1


def test_concurrent_users_get_the_same() -> None:
    enter, made = threading.Barrier(5), []

    def make() -> object:
        made.append(object())
        return made[-1]

    one, got = Lazy(make), []

    def want() -> None:
        enter.wait(TIMEOUT)
        got.append(one.get())

    threads = [threading.Thread(target=want) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT)
    assert got == made * 5
    assert len(made) == 1


def test_a_failed_creation_is_tried_again() -> None:
    faults = [OSError("full")]

    def make() -> str:
        if faults:
            raise faults.pop()
        return "made"

    one = Lazy(make)
    with pytest.raises(OSError, match="full"):
        one.get()
    assert one.get() == "made"
