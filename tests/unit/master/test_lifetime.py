"""When a control master ends."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.master.lifetime import Lifetime
from rdo.master.listener import Listener

BOUND = 20.0
"""Seconds for what takes none."""

NEVER = 0
"""No idle end."""


@pytest.fixture
def path() -> Iterator[Path]:
    """Where the socket is."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        yield Path(directory, "socket")


@pytest.fixture
def life(path: Path) -> Iterator[Lifetime]:
    listener = Listener(str(path))
    yield Lifetime(listener)
    listener.close()
    listener._socket.close()


@pytest.fixture
def over(life: Lifetime) -> Iterator[threading.Event]:
    """Set once the master has ended."""
    ended = threading.Event()

    def wait() -> None:
        life.wait()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    yield ended
    life.end_within(0)
    thread.join(BOUND)


def test_it_ends_when_nothing_was_asked_for_long_enough(life: Lifetime, over: threading.Event, path: Path) -> None:
    life.stay(0.01)
    assert over.wait(BOUND)
    assert (life.ending, path.exists()) == (True, False)


def test_it_ends_when_another_one_has_taken_its_place(life: Lifetime, over: threading.Event, path: Path) -> None:
    os.rename(path, f"{path}.old")
    path.touch()
    life.stay(NEVER)  # it looks around then
    assert over.wait(BOUND)
    assert path.exists()


def test_what_is_served_when_it_is_to_end_goes_on_to_its_end(life: Lifetime, over: threading.Event) -> None:
    with life.served:
        life.end()
        life.end()
        assert life.ending
        assert not over.is_set()
    assert over.wait(BOUND)


def test_it_can_be_told_not_to_wait_for_what_is_served(life: Lifetime, over: threading.Event) -> None:
    with life.served:
        life.end_within(0)
        assert over.wait(BOUND)


def test_no_idle_time_passes_while_something_is_served(life: Lifetime, over: threading.Event) -> None:
    with life.served:
        life.stay(0.01)
        assert not over.wait(0.1)
        assert not life.ending
    assert over.wait(BOUND)
