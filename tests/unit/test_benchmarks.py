"""Tests for the pure parts of the benchmarks: statistics, and the table."""

from __future__ import annotations

import json

import pytest

from benchmarks import report
from benchmarks.__main__ import MEASURES
from benchmarks.figures import Outcome, Spread, ratio, spread
from benchmarks.goals import GOALS, Goal

FAST = Goal("fast", "warm", "ssh", "ms", 0.5, 3, 1)
WIDE = Goal("wide", "bulk", "ssh", "MB/s", 1.0, 3, 1, at_least=True)
SMALL = Goal("small", "memory", "", "MiB", 64.0, 1, 1)


def test_every_row_has_a_measurement_and_every_measurement_a_row() -> None:
    assert [goal.key for goal in GOALS] == list(MEASURES)


def test_a_spread_is_the_median_between_the_quartiles() -> None:
    assert spread([4, 1, 3, 2, 5]) == Spread(3, 2, 4)
    assert spread([7]) == Spread(7, 7, 7)


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_pairs() -> None:
    assert ratio([1, 2, 9], [2, 4, 3]) == Spread(2 / 3, 0.5, 1.75)


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [
        (Outcome(FAST, (1.0,), (2.0,)), "yes"),
        (Outcome(FAST, (1.1,), (2.0,)), "no"),
        (Outcome(WIDE, (1.1,), (1.0,)), "yes"),
        (Outcome(WIDE, (0.9,), (1.0,)), "no"),
        (Outcome(SMALL, (64.0,)), "yes"),
        (Outcome(SMALL, (64.1,)), "no"),
        (Outcome(SMALL, skipped="no server"), ""),
    ],
)
def test_a_goal_is_met_up_to_its_bound(outcome: Outcome, verdict: str) -> None:
    assert outcome.verdict == verdict


def test_the_table_has_all_rows_and_a_note_on_why_one_is_missing() -> None:
    text = report.table([Outcome(FAST, (10.0, 12.0, 14.0), (20.0, 20.0, 200.0)), Outcome(SMALL, skipped="no server")])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "|" in line]
    assert rows[0] == list(report.HEADINGS)
    assert rows[2] == [
        "warm",
        "ssh",
        "12.0 ms (11.0..13.0)",
        "20.0 ms (20.0..110.0)",
        "0.60 (0.29..0.55)",
        "<= 0.5",
        "no",
    ]
    assert rows[3] == ["memory", "", "skipped", "", "", "<= 64", ""]
    assert text.endswith("\n\n- memory: no server")


def test_json_holds_all_samples() -> None:
    row = json.loads(report.as_json([Outcome(FAST, (1.0,), (4.0,))], {"cores": "2"}))["rows"][0]
    assert (row["key"], row["rdo_samples"], row["peer_samples"]) == ("fast", [1.0], [4.0])
    assert (row["ratio"]["middle"], row["holds"]) == (0.25, "yes")


def test_the_readme_keeps_all_but_what_is_between_the_marks() -> None:
    before = "a\n<!-- bench -->\nold\n<!-- /bench -->\nb\n"
    assert report.insert(before, "new") == "a\n<!-- bench -->\nnew\n<!-- /bench -->\nb\n"
    with pytest.raises(ValueError, match="no <!-- bench -->"):
        report.insert("a\n", "new")
