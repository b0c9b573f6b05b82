"""Tests for the description of a control master."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rdo.cli import status_row
from rdo.cli.masters import NO_REPORT, MasterInfo, TargetInfo
from rdo.cli.status_row import StatusRow

HOME, DIRECTORY = "/home/me", "/home/me/app/src"

KNOWN: dict[str, Any] = {
    "name": "devbox", "number": 1, "driver": "ssh", "running": [], "connections": 1, "idle_timeout": 3600.0,
    "idle_left": 1800.5, "ending": False,
    "profiles": [{"config": f"{HOME}/app/.rdo.conf", "profile": name} for name in ("default", "ci")],
}  # fmt: skip


def row(**changed: Any) -> StatusRow:
    """The row of a target with these values."""
    return status_row.status_row(TargetInfo(**{**KNOWN, "started": time.time() - 3700, **changed}), DIRECTORY, HOME)


def test_an_idle_target_is_shown_with_the_time_it_has_left() -> None:
    idle = ("devbox", ("default", "ci"), ("idle, 30m left",), False, "1", "1h 1m", ("../.rdo.conf",))
    assert row() == idle
    assert row(idle_left=None).doing == ("idle",)


def test_a_busy_one_is_shown_with_its_first_commands() -> None:
    assert row(running=["make a", "make b"]).doing == ("make a", "make b")
    many = row(running=[f"make {number}" for number in range(status_row.COMMAND_LIMIT + 2)])
    assert len(many.doing) == status_row.COMMAND_LIMIT + 1
    assert many.doing[-1] == "and 2 more"


def test_one_that_is_closing_says_so() -> None:
    assert row(ending=True).doing == ("closing",)
    assert row(ending=True, running=["make"]).doing == ("make", "(closing afterwards)")


def test_forwarded_ports_are_counted() -> None:
    assert row(forwards=[{}]).doing == ("idle, 30m left", "1 port forwarded")
    assert row(forwards=[{}, {}], running=["make"]).doing == ("make", "2 ports forwarded")


def test_a_master_is_a_line_with_its_waiting_commands() -> None:
    report = {"started": time.time() - 60, "running": ["a", "b"], "ending": False, "targets": []}
    line = status_row.master_line(MasterInfo("/run/control", 7, report), 3 * 2**20)
    assert line == "control master: process 7, 3 MiB, up 1m, 2 waiting to connect"
    ending = MasterInfo("/run/control", 7, {**report, "running": [], "ending": True})
    assert status_row.master_line(ending, None).endswith("up 1m, ending")


@pytest.mark.parametrize(("pid", "known"), [(7, " (process 7)"), (None, "")])
def test_one_that_does_not_answer_is_named_by_its_socket(pid: int | None, known: str) -> None:
    line = status_row.master_line(MasterInfo("/run/control", pid, NO_REPORT), None)
    assert line == f"the control master at /run/control{known} does not answer; `rdoctl stop --all` ends it"


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


def test_targets_with_the_same_name_are_distinguished_by_what_differs() -> None:
    details: list[dict[str, str]] = [
        {"user": "", "engine": "a", "port": "22"},
        {"user": "www", "engine": "a", "port": "22"},
    ]
    web = [TargetInfo(name="web", number=number, details=each) for number, each in enumerate(details)]
    other = TargetInfo(name="db", details={"user": "x"})
    shown = [each.name for each in status_row.told_apart([*web, other])]
    assert shown == ["web (user unset)", "web (user www)", "db"]


def test_variables_that_differ_are_named_and_a_few_are_enough() -> None:
    environments: list[dict[str, str]] = [{"$A": "1", "$B": "1", "$C": "1", "$D": "1"}, {}]
    local = [TargetInfo(name="local", details=each) for each in environments]
    shown = [each.name for each in status_row.told_apart(local)]
    assert shown == ["local ($A 1, $B 1, $C 1, and 1 more)", "local ($A unset, $B unset, $C unset, and 1 more)"]


def test_indistinguishable_targets_keep_their_name() -> None:
    assert [each.name for each in status_row.told_apart([TargetInfo(name="a")] * 2)] == ["a", "a"]
