"""The row about the mapping of paths in output: the mapper alone, in this process."""

from __future__ import annotations

import time

from benchmarks.figures import Outcome
from benchmarks.plan import Plan
from rdo.paths.matcher import RootMatcher
from rdo.paths.output_mapper import OutputMapper

ROOTS = RootMatcher({b"/vagrant": b"/home/me/project"})

LINE = b"/vagrant/tests/test_x.py:12: AssertionError: expected the first of them, got the last one instead\n"

PIECE = 32 * 1024
"""Bytes that come at a time: as sshd reads them from a program."""

SHARE = 8
"""The part of a long stream that one run takes: some seconds in all."""


def mapper(plan: Plan) -> Outcome:
    """Text with one match a line."""
    return Outcome(plan.goal, tuple(_speed(plan.bulk // SHARE) for _ in range(plan.repetitions)))


def _speed(size: int) -> float:
    """MB/s for about `size` bytes, in pieces that are cut anywhere."""
    text = LINE * (size // len(LINE))
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    stream = OutputMapper(ROOTS)
    started = time.perf_counter()
    for piece in pieces:
        stream.receive(piece)
    return len(text) / (time.perf_counter() - started) / 1e6
