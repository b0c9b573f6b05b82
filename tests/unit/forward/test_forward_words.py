"""Tests for descriptions of a forward."""

from __future__ import annotations

import pytest

from rdo.config.forwards import Endpoint, Forward, ForwardKind, parse, parse_dynamic, parse_remote
from rdo.forward.forward_words import description, moved_line, route
from rdo.forward.held_forward import HeldForward
from rdo.pool.target_pool import PoolUser


class Held(HeldForward):
    """A forward that listens at `endpoint`, or at the configured address without one."""

    def __init__(self, forward: Forward, endpoint: Endpoint | None = None, moved: str = "") -> None:
        super().__init__(forward, lambda held, why: None)
        self._endpoint, self._moved = endpoint or forward.listen, moved

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    @property
    def moved(self) -> str:
        return self._moved

    @property
    def ended(self) -> bool:
        return False

    def end(self) -> None: ...


@pytest.mark.parametrize(
    ("forward", "line"),
    [
        (parse("3000"), "localhost:3000 -> box:3000"),
        (parse("8080:db:80"), "localhost:8080 -> db:80 by box"),
        (parse("[::1]:8080:[::1]:80"), "[::1]:8080 -> box:80"),
        (parse("/a:/b"), "/a -> box:/b"),
        (parse_remote("4000"), "box:4000 -> localhost:4000"),
        (parse_remote("4000:db:80"), "box:4000 -> db:80"),
        (parse_remote("/a:/b"), "box:/a -> /b"),
        (parse_remote("4000")._replace(destination=Endpoint()), "box:4000 -> this machine (SOCKS)"),
        (parse_dynamic("1080"), "localhost:1080 -> box (SOCKS)"),
    ],
)
def test_a_line_has_the_listener_and_the_destination(forward: Forward, line: str) -> None:
    assert route(Held(forward), "box") == moved_line(Held(forward), "box") == line


def test_a_line_says_why_a_port_moved() -> None:
    held = Held(parse("3000"), Endpoint(port=3001), "is in use")
    assert moved_line(held, "box") == "localhost:3001 -> box:3000; 3000 is in use here"


def test_json_has_profiles_and_traffic() -> None:
    held = Held(parse_remote("4000"))
    held.owners |= {PoolUser("/p/.rdo.conf", "ci"), "rdoctl forward add"}
    held.fail("connection refused")
    found = description(held, "box")
    assert (found["kind"], found["local"], found["remote"]) == (ForwardKind.REMOTE.value, "localhost:4000", "box:4000")
    assert found["profiles"] == [{"config": "/p/.rdo.conf", "profile": "ci"}]
    assert (found["open"], found["connections"], found["failure"]) == (0, 1, "connection refused")
