"""Figures out of samples: medians, quartiles, ratios, and what became of a row. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.goals import Goal


@dataclass(frozen=True)
class Spread:
    """A middle, and the quartiles around it."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Outcome:
    """A row, measured: samples of both sides in the goal's unit, pair by pair. Or skipped, with the reason."""

    goal: Goal
    ours: tuple[float, ...] = ()
    theirs: tuple[float, ...] = ()
    skipped: str = ""
    note: str = ""

    @property
    def ratio(self) -> Spread | None:
        """rdo : peer; None without a peer."""
        return ratio(self.ours, self.theirs) if self.theirs else None

    @property
    def verdict(self) -> str:
        """yes or no: whether the goal holds; empty for a skipped row."""
        if self.skipped:
            return ""
        compared = self.ratio or spread(self.ours)
        return "yes" if self.goal.holds(compared.middle) else "no"


def spread(samples: Sequence[float]) -> Spread:
    """Median and quartiles of at least one sample."""
    if len(samples) == 1:
        return Spread(samples[0], samples[0], samples[0])
    low, middle, high = statistics.quantiles(samples, n=4, method="inclusive")
    return Spread(middle, low, high)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratio of the medians; around it the quartiles of the pairs' ratios, which a drift of the machine spares."""
    pairs = spread([one / other for one, other in zip(ours, theirs, strict=True)])
    return Spread(statistics.median(ours) / statistics.median(theirs), pairs.low, pairs.high)
