"""Tests for connections to an engine that are kept for the next request: a dead one costs seconds, but never loses an
answer.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from rdo.drivers.docker.endpoint import resolve
from rdo.drivers.docker.engine import Engine
from rdo.drivers.silence import KEEPALIVE_TIMEOUTS
from rdo.errors import ConnectError
from tests.line import Line


@pytest.fixture
def engine(line: Line) -> Iterator[Engine]:
    """An engine that appears to be on another machine."""
    environment = {**os.environ, "DOCKER_HOST": f"tcp://127.0.0.1:{line.port}"}
    engine = Engine(resolve(environment), environment)
    engine.ask("GET", "/info")
    yield engine
    engine.close()


def test_a_request_on_a_silent_connection_is_repeated_on_a_new_one(engine: Engine, line: Line) -> None:
    line.fall_silent()
    assert engine.ask("GET", "/info", timeout=60.0).texts("SecurityOptions") is not None


def test_a_request_on_a_closed_connection_is_repeated_on_a_new_one(engine: Engine, line: Line) -> None:
    line.ends_when_asked()
    assert engine.ask("GET", "/info").texts("SecurityOptions") is not None


def test_a_request_that_may_have_had_an_effect_is_not_repeated(engine: Engine, line: Line) -> None:
    line.fall_silent()
    with pytest.raises(ConnectError, match="no response in time"):
        engine.ask("POST", "/containers/none/start", timeout=KEEPALIVE_TIMEOUTS.ping_timeout + 1)


def test_nothing_is_repeated_after_the_link_was_given_up(engine: Engine, line: Line) -> None:
    line.ends_when_asked()
    engine.cut()
    with pytest.raises(ConnectError, match="closed the connection"):
        engine.ask("GET", "/info")
