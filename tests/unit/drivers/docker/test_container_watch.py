"""Tests for watching a container: a recent answer of the engine is trusted, and a paused container is not gone."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from rdo.drivers.docker.container_events import ContainerEvents
from rdo.drivers.docker.container_watch import LIVENESS, ContainerWatch, RemoteContainerWatch
from rdo.drivers.docker.inspect import ContainerState, InspectedContainer
from rdo.drivers.docker.stream import SocketStream
from rdo.drivers.keepalive import SignOfLife
from rdo.util import clock

RUNS = ContainerState("running", True, False, False, 0, "", "")
PAUSED = RUNS._replace(status="paused", paused=True)
ENDED = RUNS._replace(status="exited", running=False)


class Engine:
    """An engine that reports the state of a container."""

    def __init__(self, state: ContainerState | None, events: ContainerEvents | None = None) -> None:
        self.state = state
        self.name = "web"
        self.heard = clock.elapsed() - LIVENESS
        self.asked = 0
        self.watch = ContainerWatch(self._look, lambda: self.heard, events or ContainerEvents(None), self.name)

    def _look(self) -> InspectedContainer | None:
        self.asked += 1
        return InspectedContainer("1", self.name, "", {}, (), "/", self.state) if self.state is not None else None

    def found(self, state: ContainerState | None) -> tuple[bool, bool, bool]:
        """The flags `alive`, `silent` and `ended` in this state."""
        self.state = state
        return (self.watch.check_alive(), self.watch.is_silent, self.watch.ended)


@contextmanager
def engine_with_events(state: ContainerState) -> Iterator[tuple[Engine, socket.socket]]:
    """An engine that was heard from just now, and its end of the connection for events."""
    near, far = socket.socketpair()
    with far:
        engine = Engine(state, ContainerEvents(SocketStream(near)))
        engine.heard = clock.elapsed()
        yield engine, far
        engine.watch.stop()


def test_an_engine_that_was_heard_from_recently_is_not_asked() -> None:
    engine = Engine(ENDED)
    engine.heard = clock.elapsed()
    assert engine.watch.check_alive()


def test_it_is_asked_at_once_after_an_event_and_only_then() -> None:
    with engine_with_events(PAUSED) as (engine, far):
        far.send(b"HTTP/1.1 200 OK\r\n\r\n")
        assert engine.watch.check_alive()
        far.send(b'{"status": "pause"}\n')
        assert not engine.watch.check_alive()
        assert engine.found(RUNS) == (True, False, False)
        assert engine.watch.check_alive()
        assert engine.asked == 2


def test_the_end_of_the_events_is_reported_once() -> None:
    with engine_with_events(RUNS) as (engine, far):
        far.close()
        for _ in range(3):
            assert engine.watch.check_alive()
        assert engine.asked == 1


def test_a_name_is_kept_until_the_container_is_renamed() -> None:
    with engine_with_events(RUNS) as (engine, far):
        assert engine.watch.has_name("web")
        engine.name = "old"
        assert engine.watch.has_name("web")
        far.send(b'{"status": "rename"}\n')
        assert not engine.watch.has_name("web")
        assert engine.watch.has_name("old")
        assert engine.watch.check_alive()


def test_on_another_machine_the_name_is_the_last_reported_one() -> None:
    watch = RemoteContainerWatch(SignOfLife(), lambda: None, lambda why: None, "web")
    assert watch.has_name("web")
    watch.name = "old"
    assert not watch.has_name("web")
    watch.stop()
    assert watch.has_name("web")  # the next command looks for it anyway


def test_a_removed_container_keeps_its_name() -> None:
    engine = Engine(None)
    assert engine.watch.has_name("web")
    assert engine.watch.ended


def test_a_paused_container_may_continue_and_is_checked_each_time() -> None:
    engine = Engine(RUNS)
    assert engine.found(RUNS) == (True, False, False)
    for paused in (PAUSED, PAUSED._replace(running=False)):  # podman's does not run
        assert engine.found(paused) == (False, True, False)
        engine.heard = clock.elapsed()
        assert engine.found(RUNS) == (True, False, False)
        engine.heard -= LIVENESS


def test_a_container_that_exited_or_was_removed_has_ended() -> None:
    for state in (ENDED, None):
        engine = Engine(state)
        assert engine.found(state) == (False, False, True)
        assert engine.found(RUNS) == (False, False, True)


def test_a_command_makes_it_wanted() -> None:
    watch = Engine(RUNS).watch
    assert not watch.is_wanted
    with watch.in_use():
        assert watch.is_wanted
