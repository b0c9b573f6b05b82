"""Tests for when a control master ends."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from rdo.master.lifetime import Lifetime
from rdo.master.listener import ControlListener
from rdo.pool.target_table import TargetTable
from tests.unit.pool.resolver import Resolver, use

TIMEOUT = 20.0
"""Seconds for something that takes no time."""

UNUSED = 0.05
"""Seconds until a master ends that holds nothing."""


@pytest.fixture
def path() -> Iterator[Path]:
    """The path of the socket."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as directory:
        yield Path(directory, "socket")


@pytest.fixture
def targets() -> TargetTable:
    return TargetTable()


@pytest.fixture
def life(path: Path, targets: TargetTable) -> Iterator[Lifetime]:
    listener = ControlListener(str(path))
    yield Lifetime(listener, targets, UNUSED)
    listener.close()
    listener._socket.close()


@pytest.fixture
def served(life: Lifetime) -> Iterator[ExitStack]:
    """Something is served until this is closed, starting before the master begins to wait."""
    with ExitStack() as stack:
        stack.enter_context(life.served)
        yield stack


@pytest.fixture
def over(life: Lifetime) -> Iterator[threading.Event]:
    """Set when the master has ended."""
    ended = threading.Event()

    def wait() -> None:
        life.wait()
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    yield ended
    life.end_within(0, "test")
    thread.join(TIMEOUT)


def test_it_ends_when_it_has_held_nothing_for_long_enough(life: Lifetime, over: threading.Event, path: Path) -> None:
    assert over.wait(TIMEOUT)
    assert (life.ending, path.exists()) == (True, False)


def test_it_ends_when_another_one_has_replaced_it(
    life: Lifetime, served: ExitStack, over: threading.Event, path: Path
) -> None:
    os.rename(path, f"{path}.old")
    path.touch()
    life.look()
    served.close()
    assert over.wait(TIMEOUT)
    assert path.exists()


def test_it_serves_running_commands_to_their_end(life: Lifetime, served: ExitStack, over: threading.Event) -> None:
    life.end("test")
    life.end("test")
    assert life.ending
    assert not over.is_set()
    served.close()
    assert over.wait(TIMEOUT)


@pytest.mark.usefixtures("served")
def test_it_can_be_told_not_to_wait_for_what_is_served(life: Lifetime, over: threading.Event) -> None:
    life.end_within(0, "test")
    assert over.wait(TIMEOUT)


def test_it_does_not_end_while_something_is_served(life: Lifetime, served: ExitStack, over: threading.Event) -> None:
    life.look()
    assert not over.wait(4 * UNUSED)
    assert not life.ending
    served.close()
    life.look()
    assert over.wait(TIMEOUT)


def test_its_time_begins_when_the_last_connection_was_closed(
    path: Path, targets: TargetTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rdo.pool.connections.ConnectionSet.is_wanted", True)
    unused = 0.5
    with use(targets, Resolver("a", "host"), idle_timeout=1.2 * unused) as held:
        pass
    closed_at = []
    held.pool.when_closing(lambda why: closed_at.append(time.monotonic()))
    listener = ControlListener(str(path))
    with closing(listener), closing(listener._socket):
        Lifetime(listener, targets, unused).wait()
    assert time.monotonic() - closed_at[0] > 0.5 * unused
