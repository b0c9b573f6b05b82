"""Which variables a command line began with, so far as that is sure, and what is said of them."""

from __future__ import annotations

import os
from collections.abc import Mapping

import pytest

from rdo.master import parent_environment
from rdo.master.prefix_assignment import ENVIRONMENT_LIMIT, PrefixAssignments, hint

SHELL = {"PATH": "/bin", "HOME": "/root", "_": "/bin/rdo", "PWD": "/p"}


def nothing() -> None:
    return None


def after(*earlier: Mapping[str, str]) -> PrefixAssignments:
    assignments = PrefixAssignments()
    for environment in earlier:
        assignments.remember(environment)
    return assignments


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        pytest.param(SHELL, [], id="nothing"),
        pytest.param({**SHELL, "_": "/usr/bin/rdo"}, [], id="what each shell sets anew"),
        pytest.param({**SHELL, "A": "1"}, ["A"], id="one"),
        pytest.param({**SHELL, "A": "1", "_": "x", "b2": ""}, ["A", "b2"], id="two"),
        pytest.param({**SHELL, "A": "1", "B": "", "C": "", "D": ""}, [], id="more than anyone types"),
        pytest.param({**SHELL, "A": "1", "PATH": "/x:/bin"}, [], id="another that has changed"),
        pytest.param({"PATH": "/bin", "HOME": "/root", "A": "1"}, [], id="another that is gone"),
        pytest.param({**SHELL, "PWD": "/q", "A": "1"}, [], id="another directory"),
        pytest.param({**SHELL, "LC_ALL": "C", "A": "1"}, [], id="one that is meant for here"),
        pytest.param({**SHELL, "BASH_FUNC_x%%": "() {", "A": "1"}, [], id="a function"),
    ],
)
def test_a_variable_is_told_where_nothing_else_differs_from_an_earlier_command(
    environment: Mapping[str, str], names: list[str]
) -> None:
    assert after({"X": "y"}, SHELL).new_assignments(environment, nothing) == names


def test_the_nearest_of_the_earlier_commands_counts() -> None:
    known = after(SHELL, {**SHELL, "A": "1"}, {**SHELL, "B": "1"})
    assert known.new_assignments({**SHELL, "A": "1", "B": "1", "C": "1"}, nothing) in (["A", "C"], ["B", "C"])
    assert known.new_assignments({**SHELL, "A": "1"}, nothing) == []


def test_what_the_command_was_started_by_counts_where_there_was_none_before() -> None:
    environment = {**SHELL, "SHLVL": "2", "A": "1"}
    assert after().new_assignments(environment, lambda: {**SHELL, "SHLVL": "1"}) == ["A"]
    assert after().new_assignments(environment, lambda: {**SHELL, "B": "1"}) == []
    assert after().new_assignments(environment, nothing) == []


def test_only_the_latest_environments_are_remembered() -> None:
    others = [{"N": str(number)} for number in range(ENVIRONMENT_LIMIT)]
    assert after(SHELL, *others[:-1]).new_assignments({**SHELL, "A": "1"}, nothing) == ["A"]
    assert after(SHELL, *others).new_assignments({**SHELL, "A": "1"}, nothing) == []
    assert after(SHELL, *others[1:], SHELL, others[0]).new_assignments({**SHELL, "A": "1"}, nothing) == ["A"]


def test_each_name_is_told_once() -> None:
    known = after()
    assert known.first_mentions(["A", "B"]) == ["A", "B"]
    assert known.first_mentions(["B", "C"]) == ["C"]


@pytest.mark.parametrize(
    ("names", "command", "line"),
    [
        (["A"], ["make", "a b"], "`A` is set here and not on the target; to set it there use: rdo -e A=1 make 'a b'"),
        (["A"], [], "`A` is set here and not on the target; to set it there use: rdo -e A=1 ..."),
        (["A"], ["x" * 60], "`A` is set here and not on the target; to set it there use: rdo -e A=1 ..."),
        (["S"], ["make"], "`S` is set here and not on the target; to set it there use: rdo -e S=... make"),
        (
            ["A", "B"],
            ["make"],
            "`A` and `B` are set here and not on the target; to set them there use: rdo -e A=1 -e B= make",
        ),
    ],
)
def test_the_hint_is_what_to_type_without_what_may_be_secret(names: list[str], command: list[str], line: str) -> None:
    assert hint(names, {"A": "1", "B": "", "S": "a secret of some length"}, command) == line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["script", "-qc", "x"], True),
        ([], True),
        (["bash", "-c", "x"], True),
        (["/bin/sh", "-ec", "x"], True),
        (["bash"], False),
        (["-bash"], False),
        (["-zsh"], False),
        (["bash", "-i"], False),
        (["bash", "--norc", "-i"], True),
        (["zsh", "-f"], True),
        (["fish", "--no-config"], True),
        (["bash", "--norc", "script"], False),
        (["sh", "script"], False),
        (["sh"], True),
        (["dash", "-i"], True),
        (["sh", "-l"], False),
        (["-sh"], False),
        (["bash", "-"], False),
    ],
)
def test_a_shell_that_may_have_set_variables_by_itself_says_nothing(words: list[str], expected: bool) -> None:
    assert parent_environment.keeps(words, {}) is expected


def test_a_start_up_file_named_by_env_counts() -> None:
    assert not parent_environment.keeps(["sh"], {"ENV": "x"})


def test_no_environment_is_had_of_a_process_that_is_not_there() -> None:
    assert parent_environment.of(0) is None
    assert parent_environment.of(2**22 + 1) is None


def test_the_environment_of_the_process_that_started_this_one_is_had_where_the_system_tells() -> None:
    found = parent_environment.of(os.getpid())
    assert found is None or found
