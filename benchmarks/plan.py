"""The parameters of one measurement: the workspace, its row, and how much time to take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.figures import Outcome
from benchmarks.goals import Goal
from benchmarks.workspace import Workspace

GIB = 1 << 30


@dataclass(frozen=True)
class Plan:
    """The parameters of a measurement. With `quick`, it takes less time and is less precise."""

    space: Workspace
    goal: Goal
    quick: bool

    @property
    def repetitions(self) -> int:
        """The runs of each side that count."""
        return self.goal.quick if self.quick else self.goal.repetitions

    @property
    def bulk(self) -> int:
        """The bytes of a long stream."""
        return GIB // 4 if self.quick else GIB

    @property
    def flood(self) -> int:
        """The bytes after which a leak of the master would show."""
        return GIB if self.quick else 4 * GIB


Measure = Callable[[Plan], Outcome]
