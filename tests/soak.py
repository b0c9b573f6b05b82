"""How often a test tries what rarely fails, and an account of what was tried. `make soak` tries at full length."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

FULL = os.environ.get("RDO_SOAK") == "1"

PART_TIMEOUT = 3600.0
"""Seconds for one row of the account: several times as long as the longest takes."""

WHOLE_TIMEOUT = 7200.0
"""Seconds for a whole run. After that, no further test is started."""

T = TypeVar("T")
Counted = Callable[[str, Iterable[Any]], Iterator[Any]]
"""Iterates over items and counts them: `for each in counted("exit statuses", range(256)): assert ...`."""


def tries(small: int, full: int) -> int:
    """The number of tries: `small` in `make test`, `full` in `make soak`."""
    return full if FULL else small


@dataclass
class Row:
    """What was counted in one test under one name. A try fails if the loop's body does not reach its end."""

    name: str
    over: str
    begun: int = 0
    done: int = 0

    def count(self, items: Iterable[T]) -> Iterator[T]:
        """Iterate over the items. Each counts as done when the next one is requested."""
        deadline = time.monotonic() + PART_TIMEOUT
        for item in items:
            assert time.monotonic() < deadline, f"{self.name}: only {self.done} in {PART_TIMEOUT:.0f} s"
            self.begun += 1
            yield item
            self.done += 1


@dataclass
class Account:
    """All rows of a run."""

    started: float = field(default_factory=time.monotonic)
    rows: list[Row] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether the time of the whole run is over."""
        return FULL and time.monotonic() - self.started > WHOLE_TIMEOUT

    def add(self, name: str, over: str) -> Row:
        """Add a row. `over` names the target, or another parameter of the test."""
        self.rows.append(Row(name, over))
        return self.rows[-1]

    def table(self) -> list[str]:
        """The lines to print at the end; none if nothing was counted."""
        lines = [("counted", "over", "number", "failures")]
        lines += [(row.name, row.over, f"{row.begun:,}", str(row.begun - row.done)) for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        left, over, number, failures = widths
        return [f"{a:{left}}  {b:{over}}  {c:>{number}}  {d:>{failures}}" for a, b, c, d in lines if self.rows]
