"""Computes results from samples: medians, quartiles, ratios and verdicts. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.goals import Goal


@dataclass(frozen=True)
class Spread:
    """A median, and the quartiles around it."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """The outcome of a row: pairs of samples in the goal's unit or, if it was skipped, the reason."""

    goal: Goal
    ours: tuple[float, ...] = ()
    theirs: tuple[float, ...] = ()
    skipped: str = ""
    note: str = ""

    @property
    def ratio(self) -> Spread | None:
        """The ratio of rdo to the peer; None without a peer."""
        return ratio(self.ours, self.theirs) if self.theirs else None

    @property
    def verdict(self) -> str:
        """`yes` or `no`: whether the goal is met; empty for a skipped row."""
        if self.skipped:
            return ""
        compared = self.ratio or spread(self.ours)
        return "yes" if self.goal.holds(compared.middle) else "no"


def spread(samples: Sequence[float]) -> Spread:
    """The median and quartiles of one or more samples."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(middle, low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratio of the medians, and the quartiles of the pairs' ratios, which do not depend on drift of the machine."""
    pairs = spread([one / other for one, other in zip(ours, theirs, strict=True)])
    return Spread(statistics.median(ours) / statistics.median(theirs), pairs.low, pairs.high)
