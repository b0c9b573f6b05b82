"""Tests for a relayed connection, with a loop that does nothing by itself."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

from rdo.drivers.target_stream import Sink, TargetStream
from rdo.errors import LinkLost
from rdo.forward.relay import Relay


class Loop:
    """A loop that only stores the relays."""

    def __init__(self) -> None:
        self.room = memoryview(bytearray(1))
        self.relays: set[Relay] = set()
        self.unflushed: set[Callable[[], None]] = set()

    def wake(self, relay: Relay) -> None:
        """Does nothing, because nothing is scheduled."""

    def select(self, fileno: int, events: int, relay: Relay) -> None:
        """Does nothing, because nothing is waited for."""


def refuse(sink: Sink, changed: Callable[[], None]) -> TargetStream:
    raise LinkLost("connection refused")


def test_the_reason_is_known_before_the_near_side_sees_the_end() -> None:
    loop, known = Loop(), []
    near, relayed = socket.socketpair()
    with near:

        def over(relay: Relay) -> None:
            known.append((relay.failure, select.select([near], [], [], 0)[0], loop.relays))

        Relay(relayed, loop, over).start(refuse)
        assert known == [("connection refused", [], set())]
        assert near.recv(1) == b""
