"""What nobody foresaw: one line for the user, and all of it in the log."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.util import crash


class Mute(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(("error", "why"), [
    (ValueError("bad\nnumber"), "ValueError: bad number"),
    (MemoryError(), "MemoryError"),
    (Mute(), "Mute"),
    (ValueError("x" * 999), "ValueError: " + "x" * (crash.REASON_LIMIT - 12)),
])  # fmt: skip
def test_the_user_sees_one_line_that_names_the_log(error: Exception, why: str) -> None:
    expected = f"internal error in the control master: {why}; this is a bug in rdo; see `/run/it.log`"
    assert str(crash.explain(error, "/run/it.log")) == expected


@pytest.mark.parametrize("error", [ValueError("x" * 99999), Mute(), RecursionError(), SystemExit(1)])
def test_the_log_holds_the_end_of_each_traceback_and_no_more(tmp_path: Path, error: BaseException) -> None:
    log = tmp_path / "log"
    handle = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        for _ in range(2):
            try:
                raise error
            except BaseException as caught:
                crash.report(caught, handle)
        assert log.stat().st_size < 2 * (crash.TRACEBACK_LIMIT + 100)
    finally:
        os.close(handle)


def test_a_log_that_takes_nothing_is_not_a_further_error() -> None:
    handle = os.open("/dev/full", os.O_WRONLY) if os.path.exists("/dev/full") else -1
    crash.report(ValueError(), handle)
    if handle >= 0:
        os.close(handle)
