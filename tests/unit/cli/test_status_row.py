"""A control master in words."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rdo.cli import status_row
from rdo.cli.masters import NO_REPORT, MasterInfo
from rdo.cli.status_row import StatusRow

HOME, DIRECTORY = "/home/me", "/home/me/app/src"


def answering(**report: Any) -> StatusRow:
    """The row of a master that answers."""
    known = {"target": "devbox", "profile": "ci", "config": f"{HOME}/app/.rdo.conf", "ending": False}
    times = {"started": time.time() - 3700, "idle_timeout": 3600.0, "idle_for": 1799.5}
    return status_row.status_row(MasterInfo("/run/socket", 7, {**known, **times, **report}), 3 * 2**20, DIRECTORY, HOME)


def test_an_idle_master_is_told_with_the_time_it_has_left() -> None:
    assert answering() == ("devbox", "ci", ("idle, 30m left",), "1h 1m", "3 MiB", "7", "../.rdo.conf", "idle")
    assert answering(idle_timeout=0).doing == ("idle",)


def test_a_busy_one_is_told_with_its_first_commands() -> None:
    busy = answering(running=["make a", "make b"])
    assert (busy.doing, busy.state) == (("make a", "make b"), "busy")
    many = answering(running=[f"make {number}" for number in range(status_row.MOST_COMMANDS + 2)])
    assert len(many.doing) == status_row.MOST_COMMANDS + 1
    assert many.doing[-1] == "and 2 more"


def test_one_that_is_to_end_says_so() -> None:
    assert answering(ending=True).doing == ("ends",)
    assert answering(ending=True, running=["make"]).doing == ("make", "(ends then)")


def test_one_that_does_not_answer_is_told_by_its_socket() -> None:
    silent = status_row.status_row(MasterInfo("/run/socket", None, NO_REPORT), None, DIRECTORY, HOME)
    assert silent == ("?", "?", ("does not answer",), "-", "-", "?", "/run/socket", "silent")


def test_a_target_that_is_not_known_yet_is_a_question_mark() -> None:
    assert answering(target="").target == "?"


@pytest.mark.parametrize(
    ("path", "directory", "home", "shown"),
    [
        pytest.param("/home/me/app/.rdo.conf", "/home/me/app", HOME, ".rdo.conf", id="here"),
        pytest.param("/home/me/app/.rdo.conf", "/home/me/app/a/b", HOME, "../../.rdo.conf", id="above"),
        pytest.param("/home/me/app/.rdo.conf", HOME, HOME, "app/.rdo.conf", id="below"),
        pytest.param("/home/me/app/.rdo.conf", "/home/me/apple", HOME, "~/app/.rdo.conf", id="in the home directory"),
        pytest.param("/home/melissa/.rdo.conf", DIRECTORY, HOME, "/home/melissa/.rdo.conf", id="in somebody else's"),
        pytest.param("/srv/app/.rdo.conf", DIRECTORY, HOME, "/srv/app/.rdo.conf", id="elsewhere"),
        pytest.param("/srv/app/.rdo.conf", DIRECTORY, "", "/srv/app/.rdo.conf", id="without a home directory"),
    ],
)
def test_a_path_is_as_short_as_it_can_be(path: str, directory: str, home: str, shown: str) -> None:
    assert status_row.short(path, directory, home) == shown
