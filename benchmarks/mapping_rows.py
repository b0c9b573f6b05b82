"""The row about mapping of paths in output, which measures only the mapper, in this process."""

from __future__ import annotations

import time

from benchmarks.figures import Outcome
from benchmarks.plan import Plan
from rdo.paths.matcher import RootMatcher
from rdo.paths.output_mapper import OutputMapper

ROOTS = RootMatcher({b"/vagrant": b"/home/me/project"})

LINE = b"/vagrant/tests/test_x.py:12: AssertionError: expected the first of them, got the last one instead\n"

PIECE = 32 * 1024
"""Bytes that arrive at a time: as many as sshd reads from a program."""

SHARE = 8
"""A run maps this fraction of a long stream, so that all runs together take a few seconds."""


def mapper(plan: Plan) -> Outcome:
    """The throughput for text with one match in each line."""
    return Outcome(plan.goal, tuple(_speed(plan.bulk // SHARE) for _ in range(plan.repetitions)))


def _speed(size: int) -> float:
    """The throughput in MB/s for about `size` bytes, in pieces that end anywhere."""
    text = LINE * (size // len(LINE))
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    stream = OutputMapper(ROOTS)
    started = time.perf_counter()
    for piece in pieces:
        stream.receive(piece)
    return len(text) / (time.perf_counter() - started) / 1e6
