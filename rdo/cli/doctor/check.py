"""The checks of `rdoctl doctor` as such, and how a list of checks is run. Knows nothing about what is checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from rdo.errors import RdoError
from rdo.util.phrases import listed


class CheckVerdict(Enum):
    """The result of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


class Finding(NamedTuple):
    """The result of a check. `remedy` is what to do about it."""

    verdict: CheckVerdict
    detail: str
    remedy: str = ""


class Check(NamedTuple):
    """A check, and the names of the checks that have to succeed first."""

    name: str
    examine: Callable[[], Finding]
    needs: tuple[str, ...] = ()


class CheckOutcome(NamedTuple):
    """A check's name and what it found."""

    name: str
    finding: Finding

    def __str__(self) -> str:
        """One line."""
        verdict, detail, remedy = self.finding
        return f"{verdict.value:<8} {self.name}: {detail}" + (f"; {remedy}" if remedy else "")


def ok(detail: str) -> Finding:
    return Finding(CheckVerdict.OK, detail)


def warning(detail: str, remedy: str) -> Finding:
    return Finding(CheckVerdict.WARNING, detail, remedy)


def failed(detail: str, remedy: str = "") -> Finding:
    return Finding(CheckVerdict.FAILED, detail, remedy)


def skipped(why: str) -> Finding:
    return Finding(CheckVerdict.SKIPPED, why)


def run_checks(checks: Iterable[Check]) -> Iterator[CheckOutcome]:
    """The outcomes in order. A check is skipped if one that it needs failed or was skipped."""
    missing: set[str] = set()
    for check in checks:
        lacks = next((name for name in check.needs if name in missing), None)
        finding = skipped(f"needs `{lacks}`") if lacks else _examine(check)
        if finding.verdict is CheckVerdict.FAILED or lacks:
            missing.add(check.name)
        yield CheckOutcome(check.name, finding)


def conclusion(outcomes: Sequence[CheckOutcome]) -> str:
    """The overall result, and what to do now: one line."""
    failure = next((outcome for outcome in outcomes if outcome.finding.verdict is CheckVerdict.FAILED), None)
    if failure:
        remedy = f": {failure.finding.remedy}" if failure.finding.remedy else ""
        return f"rdo does not work yet; fix `{failure.name}` first{remedy}"
    warnings = [outcome.name for outcome in outcomes if outcome.finding.verdict is CheckVerdict.WARNING]
    if warnings:
        return f"rdo works, with warnings about {listed(warnings)}"
    return "everything works: type `rdo` before a command to run it on the target"


def _examine(check: Check) -> Finding:
    try:
        return check.examine()
    except RdoError as error:
        return failed(": ".join(filter(None, (error.what, error.why))), error.hint)
