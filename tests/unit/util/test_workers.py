"""Tests for the threads that do work for callers that must not wait."""

from __future__ import annotations

import queue

import pytest

from rdo.util.threads import WORKER_LIMIT, Workers

TIMEOUT = 20.0


def test_faults_in_what_they_do_leave_as_many_of_them(capfd: pytest.CaptureFixture[str]) -> None:
    workers = Workers("test")
    done: queue.Queue[int] = queue.Queue()

    def fail(number: int) -> None:
        done.put(number)
        raise SystemExit("planted")

    for number in range(WORKER_LIMIT + 1):
        workers.submit(lambda number=number: fail(number))  # type: ignore[misc]
    workers.submit(lambda: done.put(-1))
    assert {done.get(timeout=TIMEOUT) for _ in range(WORKER_LIMIT + 2)} == {-1, *range(WORKER_LIMIT + 1)}
    capfd.readouterr()
