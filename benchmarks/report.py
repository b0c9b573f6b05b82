"""Formats outcomes as a table, as JSON, and as a part of README. Pure."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.figures import Outcome, Spread, spread

HEADINGS = ("measure", "against", "rdo", "peer", "ratio", "goal", "holds")

WIDTH = 120
"""Characters in a line of prose."""

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
"""README has the table between these lines."""


def table(outcomes: Sequence[Outcome]) -> str:
    """A Markdown table with aligned columns, followed by the notes of the rows."""
    rows = [HEADINGS, *map(cells, outcomes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    told = [(outcome.goal.title, outcome.skipped or outcome.note) for outcome in outcomes]
    notes = [f"- {title}: {text}" for title, text in told if text]
    return "\n".join([*lines, *([""] if notes else []), *notes])


def cells(outcome: Outcome) -> tuple[str, ...]:
    """The cells of one row."""
    goal = outcome.goal
    start = (goal.title, goal.peer)
    bound = f"{'>=' if goal.at_least else '<='} {goal.bound:g}"
    if outcome.skipped:
        return (*start, "skipped", "", "", bound, "")
    ratio = "" if outcome.ratio is None else _spread(outcome.ratio, "", 3 if goal.bound < 0.1 else 2)
    theirs = _spread(spread(outcome.theirs), goal.unit) if outcome.theirs else ""
    limit = bound if outcome.theirs else f"{bound} {goal.unit}"
    return (*start, _spread(spread(outcome.ours), goal.unit), theirs, ratio, limit, outcome.verdict)


def _spread(value: Spread, unit: str, digits: int | None = None) -> str:
    if digits is None:
        digits = 1 if value.middle < 100 else 0
    middle, low, high = (f"{each:.{digits}f}" for each in (value.middle, value.low, value.high))
    text = f"{middle} {unit}".strip()
    return text if low == high else f"{text} ({low}..{high})"


def as_json(outcomes: Sequence[Outcome], machine: Mapping[str, str]) -> str:
    """All samples, and the results that the table shows."""
    rows = [
        {
            **asdict(outcome.goal),
            "rdo_samples": outcome.ours,
            "peer_samples": outcome.theirs,
            "ratio": asdict(outcome.ratio) if outcome.ratio else None,
            "holds": outcome.verdict,
            "skipped": outcome.skipped,
            "note": outcome.note,
        }
        for outcome in outcomes
    ]
    return json.dumps({"machine": dict(machine), "rows": rows}, indent=2) + "\n"


def insert(document: str, text: str) -> str:
    """The document with `text` between its two marks, with prose wrapped. Raises ValueError if there are no marks."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} ... {END}")
    lines = [line if line.startswith("|") else textwrap.fill(line, WIDTH) for line in text.split("\n")]
    return "\n".join([f"{before}{BEGIN}", *lines, f"{END}{after}"])
