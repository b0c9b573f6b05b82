"""Tests for running checks: those that depend on a failed one are skipped, and an error is a failure."""

from __future__ import annotations

from rdo.cli.doctor.check import Check, Finding, failed, ok, run_checks, skipped, warning
from rdo.errors import RdoError


def refuse() -> Finding:
    """A check that raises an error."""
    raise RdoError("`x`", "why", "hint")


def test_what_needs_a_failed_check_is_skipped_and_what_needs_that_too() -> None:
    checks = [
        Check("a", refuse),
        Check("b", lambda: ok("fine"), needs=("a",)),
        Check("c", lambda: ok("fine"), needs=("b",)),
        Check("d", lambda: ok("fine")),
    ]
    assert list(map(str, run_checks(checks))) == [
        "failed   a: `x`: why; hint",
        "skipped  b: needs `a`",
        "skipped  c: needs `b`",
        "ok       d: fine",
    ]


def test_after_a_warning_or_a_check_that_does_not_apply_the_others_run() -> None:
    checks = [
        Check("a", lambda: warning("odd", "mend it")),
        Check("b", lambda: skipped("elsewhere")),
        Check("c", lambda: failed("bad"), needs=("a", "b")),
    ]
    assert list(map(str, run_checks(checks))) == [
        "warning  a: odd; mend it",
        "skipped  b: elsewhere",
        "failed   c: bad",
    ]
