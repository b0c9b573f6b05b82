"""What is done now and then while there is a pool."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from rdo.pool import maintenance
from rdo.pool.shell_pool import ShellPool


def test_chores_are_done_again_and_again_without_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "SPARE_CONNECTION_TIMEOUT", 0.01)
    target: Any = None  # nothing is opened
    pool = ShellPool(target)
    done = threading.Semaphore(0)
    pool.add_chore(lambda: done.release())
    pool.prepare()
    for _ in range(3):
        assert done.acquire(timeout=10)
    pool.close("over")
