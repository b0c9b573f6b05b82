"""Tests for the relay loop, with connections whose far side only records its input."""

from __future__ import annotations

import contextlib
import queue
import socket
import time
from collections.abc import Callable

from rdo.drivers.target_stream import DELIVERY_LOCK, Sink, TargetStream
from rdo.forward.relay import Relay
from rdo.forward.relay_loop import RelayLoop

TIMEOUT = 10.0
"""Seconds, against hangs."""


class Link:
    """The TargetStream of all connections: what was written is sent by `flush`."""

    is_open, ended, failure = True, False, ""

    def __init__(self) -> None:
        self._written: list[bytes] = []
        self.sent: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()

    def open(self, sink: Sink, changed: Callable[[], None]) -> TargetStream:
        return self

    def fileno(self) -> int:
        return -1

    def write(self, data: memoryview) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        written, self._written = self._written, []
        self.sent.put(written)

    def read(self) -> bytes:
        return b""

    def end_input(self) -> bool:
        return True

    def close(self) -> None:
        """Does nothing, because nothing is held."""


def test_data_that_arrives_during_a_round_is_sent_together() -> None:
    loop, link = RelayLoop(), Link()
    with contextlib.ExitStack() as ends:
        near = []
        for _ in range(3):
            ours, relayed = socket.socketpair()
            near.append(ends.enter_context(ours))
            relay = Relay(relayed, loop, lambda relay: None)
            loop.run_soon(lambda relay=relay: relay.start(link.open))  # type: ignore[misc]
            ends.callback(loop.run_soon, relay.abort)
        loop.start()
        ends.callback(loop.end_when_idle)
        near[0].send(b"before")
        while b"before" not in link.sent.get(timeout=TIMEOUT):
            pass  # their initial data, which is empty
        with DELIVERY_LOCK:
            for connection in near:
                connection.send(b"asked")
                time.sleep(0.02)  # the loop would take the first alone
        assert link.sent.get(timeout=TIMEOUT) == [b"asked"] * 3
