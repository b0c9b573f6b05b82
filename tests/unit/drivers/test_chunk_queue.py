"""Tests for the queue of received output: in order, complete, and at a cost that is proportional to its bytes."""

from __future__ import annotations

import sys

from rdo.drivers.base import STDERR, STDOUT
from rdo.drivers.chunk_queue import CROWDED, JOIN_LIMIT, ChunkQueue


def drained(queue: ChunkQueue) -> dict[int, bytes]:
    found = {STDOUT: b"", STDERR: b""}
    while queue:
        stream, data = queue.take()
        found[stream] += data
    return found


def test_alternating_bytes_of_both_streams_have_a_linear_cost() -> None:
    queue, turns = ChunkQueue(1), 100_000
    for number in range(turns):
        queue.put(STDOUT, bytes([number % 251]))
        queue.put(STDERR, bytes([number % 241]))
    assert len(queue._chunks) < CROWDED + 3 * turns / JOIN_LIMIT + 4
    assert sum(sys.getsizeof(chunk.data) for chunk in queue._chunks) < 3 * turns
    expected = {STDOUT: bytes(n % 251 for n in range(turns)), STDERR: bytes(n % 241 for n in range(turns))}
    assert drained(queue) == expected


def test_the_order_of_the_streams_is_kept_while_little_is_queued() -> None:
    queue = ChunkQueue(1)
    for stream in (STDOUT, STDERR, STDOUT):
        queue.put(stream, b"x")
    queue.put(STDOUT, b"")
    assert [queue.take().stream for _ in range(3)] == [STDOUT, STDERR, STDOUT]
    assert not queue


def test_bytes_that_were_consumed_without_being_queued_count_for_credit() -> None:
    queue = ChunkQueue(4)
    assert [queue.count_consumed(size) for size in (3, 1, 1)] == [False, True, True]
    assert (queue.take_credit(), queue.take_credit()) == (5, 0)
