"""A container whose engine is on this machine: trusted for a while, then asked for; paused is not gone."""

from __future__ import annotations

from rdo.drivers.docker.container_watch import LIVENESS, ContainerWatch
from rdo.drivers.docker.inspect import ContainerState
from rdo.util import clock

RUNS = ContainerState("running", True, False, False, 0, "", "")
PAUSED = RUNS._replace(status="paused", paused=True)
ENDED = RUNS._replace(status="exited", running=False)


class Engine:
    """Says how the container is."""

    def __init__(self, state: ContainerState | None) -> None:
        self.state = state
        self.heard = clock.elapsed() - LIVENESS
        self.watch = ContainerWatch(lambda: self.state, lambda: self.heard)

    def found(self, state: ContainerState | None) -> tuple[bool, bool, bool]:
        """Whether it is alive in this state, is silent, and has ended."""
        self.state = state
        return (self.watch.check_alive(), self.watch.is_silent, self.watch.ended)


def test_an_engine_that_was_heard_from_lately_is_not_asked() -> None:
    engine = Engine(ENDED)
    engine.heard = clock.elapsed()
    assert engine.watch.check_alive()


def test_a_paused_container_may_go_on_and_is_asked_for_each_time() -> None:
    engine = Engine(RUNS)
    assert engine.found(RUNS) == (True, False, False)
    for paused in (PAUSED, PAUSED._replace(running=False)):  # podman's one does not run
        assert engine.found(paused) == (False, True, False)
        engine.heard = clock.elapsed()
        assert engine.found(RUNS) == (True, False, False)
        engine.heard -= LIVENESS


def test_one_that_has_ended_or_is_gone_does_not_come_back() -> None:
    for state in (ENDED, None):
        engine = Engine(state)
        assert engine.found(state) == (False, False, True)
        assert engine.found(RUNS) == (False, False, True)


def test_a_command_makes_it_wanted() -> None:
    watch = Engine(RUNS).watch
    assert not watch.is_wanted
    with watch.in_use():
        assert watch.is_wanted
