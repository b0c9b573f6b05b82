"""What one measurement is given: the workspace, its row, and how much time there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Outcome
from benchmarks.goals import Goal
from benchmarks.workspace import Workspace

GIB = 1 << 30


@dataclass(frozen=True)
class Plan:
    """`quick` trades certainty for time."""

    space: Workspace
    goal: Goal
    quick: bool

    @property
    def repetitions(self) -> int:
        """Runs of each side that count."""
        return self.goal.quick if self.quick else self.goal.repetitions

    @property
    def bulk(self) -> int:
        """Bytes of a long stream."""
        return GIB // 4 if self.quick else GIB

    @property
    def flood(self) -> int:
        """Bytes after which a master that leaks shows it."""
        return GIB if self.quick else 4 * GIB


Measure = Callable[[Plan], Outcome]
