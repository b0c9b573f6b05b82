"""Tests for which variables a command line set as a prefix, as far as that is certain, and for the hint about them."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from rdo.master import parent_environment
from rdo.master.parent_environment import Parent
from rdo.master.prefix_assignment import (
    BASH_TABLES,
    ENVIRONMENT_LIMIT,
    HashTable,
    PrefixAssignments,
    before_table,
    hint,
)

README = Path(__file__).parents[3] / "README.md"

SHELL = {"PATH": "/bin", "HOME": "/root", "_": "/bin/rdo", "PWD": "/p"}


def nothing() -> None:
    return None


def shell(environment: Mapping[str, str], *, adds_nothing: bool = True) -> Callable[[], Parent]:
    """The process that started a command: a shell with this environment."""
    return lambda: Parent(True, environment, adds_nothing)


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
def test_a_variable_is_reported_if_nothing_else_differs_from_an_earlier_command(
    environment: Mapping[str, str], names: list[str]
) -> None:
    assert after({"X": "y"}, SHELL).new_assignments(environment, nothing) == names


def test_the_most_similar_earlier_command_is_used() -> None:
    known = after(SHELL, {**SHELL, "A": "1"}, {**SHELL, "B": "1"})
    assert known.new_assignments({**SHELL, "A": "1", "B": "1", "C": "1"}, nothing) in (["A", "C"], ["B", "C"])
    assert known.new_assignments({**SHELL, "A": "1"}, nothing) == []


def test_without_an_earlier_command_the_parent_process_is_used() -> None:
    environment = {**SHELL, "SHLVL": "2", "A": "1"}
    assert after().new_assignments(environment, shell({**SHELL, "SHLVL": "1"})) == ["A"]
    assert after().new_assignments(environment, shell({**SHELL, "B": "1"})) == []
    assert after().new_assignments(environment, nothing) == []


def test_variables_of_the_shell_itself_were_not_typed() -> None:
    environment = {**SHELL, "A": "1", "B": "2"}
    known = after(SHELL)
    assert known.new_assignments(environment, shell({**SHELL, "A": "1", "B": "1"}, adds_nothing=False)) == ["B"]


def test_a_command_started_by_another_program_was_not_typed() -> None:
    """vim sets VIM for everything that it runs."""
    environment = {**SHELL, "VIM": "1"}
    for known in (after(SHELL), after()):
        assert known.new_assignments(environment, lambda: Parent(False, SHELL, True)) == []


BASH = ["SHELL", "EDITOR", "PWD", "LOGNAME", "HOME", "LANG", "TERM", "USER", "SHLVL", "PAGER", "PATH", "GOPATH"]
"""What `env` prints in bash 5, in its order."""


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param(["DEBUG"], ["_"], ["DEBUG"], id="one"),
        pytest.param(["AB", "DEBUG"], ["_", "BASH_FUNC_x%%"], ["AB", "DEBUG"], id="two, and a function"),
        pytest.param(["a.b", "DEBUG"], [], ["DEBUG"], id="a name that the shell does not take"),
        pytest.param(["a.b"], [], [], id="such a name alone"),
        pytest.param(["_"], [], [], id="what each shell sets"),
        pytest.param(["DEBUG"], ["A1"], [], id="what a program appended"),
        pytest.param([], ["OLDPWD"], [], id="what bash appended"),
    ],
)
def test_variables_that_bash_exports_before_its_table_are_reported(
    before: list[str], after: list[str], names: list[str]
) -> None:
    assert before_table(before + BASH + after) == names


def test_a_name_that_would_fit_into_the_table_is_not_reported() -> None:
    fits = next(f"N{number}" for number in range(10**6) if BASH_TABLES[0].bucket(f"N{number}") <= 1)
    assert before_table([fits, *BASH]) == []
    assert before_table(["DEBUG", fits, *BASH]) == ["DEBUG"]


@pytest.mark.parametrize("table", BASH_TABLES, ids=["5", "4.4", "3"])
def test_each_table_of_bash_is_known(table: HashTable) -> None:
    inside = sorted(BASH, key=table.bucket)
    assert before_table(["ZETA", *inside]) == (["ZETA"] if table.bucket("ZETA") > table.bucket(inside[0]) else [])


@pytest.mark.parametrize(
    "names",
    [sorted([*BASH, "DEBUG"]), ["ZZ", *BASH[::-1]], ["DEBUG", *BASH[:7]], []],
    ids=["mksh", "any", "few", "none"],
)
def test_any_other_order_is_inconclusive(names: list[str]) -> None:
    assert before_table(names) == []


def test_the_order_is_used_if_the_parent_process_is_inconclusive() -> None:
    environment = dict.fromkeys(["A", "DEBUG", *BASH], "1")
    assert after().new_assignments(environment, nothing) == ["A", "DEBUG"]
    assert after().new_assignments(environment, shell(environment)) == []
    assert after().new_assignments(environment, shell(environment, adds_nothing=False)) == ["A", "DEBUG"]
    assert after().new_assignments({"PAGER": "", "LC_ALL": "C", **environment}, nothing) == []
    assert after().new_assignments(dict.fromkeys(["ZA", "ZB", "ZC", "ZD", *BASH], "1"), nothing) == []


def test_only_the_latest_environments_are_remembered() -> None:
    others = [{"N": str(number)} for number in range(ENVIRONMENT_LIMIT)]
    assert after(SHELL, *others[:-1]).new_assignments({**SHELL, "A": "1"}, nothing) == ["A"]
    assert after(SHELL, *others).new_assignments({**SHELL, "A": "1"}, nothing) == []
    assert after(SHELL, *others[1:], SHELL, others[0]).new_assignments({**SHELL, "A": "1"}, nothing) == ["A"]


def test_variables_that_rdo_itself_uses_are_not_reported() -> None:
    table = README.read_text().split("## Environment variables\n")[1].split("\n## ")[0]
    names = re.findall(r"`([A-Z_]+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line[:1] == "|"))
    assert {"BROWSER", "DOCKER_HOST", "SSH_AUTH_SOCK"} < set(names)
    known = after(SHELL)
    assert [name for name in names if known.new_assignments({**SHELL, name: "1"}, nothing)] == []


def test_each_name_is_reported_once() -> None:
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
def test_the_hint_shows_what_to_type_without_possible_secrets(names: list[str], command: list[str], line: str) -> None:
    assert hint(names, {"A": "1", "B": "", "S": "a secret of some length"}, command) == line


@pytest.mark.parametrize(
    ("words", "expected"),
    [
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
def test_a_shell_that_may_have_set_variables_itself_is_inconclusive(words: list[str], expected: bool) -> None:
    assert parent_environment.keeps(words, {}) is expected


@pytest.mark.parametrize(
    "words", [["-bash"], ["/bin/sh", "-c", "x"], ["python3", "/usr/bin/xonsh"], ["busybox", "ash"]]
)
def test_a_shell_is_known_by_its_name(words: list[str]) -> None:
    assert parent_environment.is_shell(words)


@pytest.mark.parametrize("words", [["vim", "x"], ["script", "-qc", "sh"], ["make", "SHELL=rdo", "sh"], []])
def test_other_programs_are_not_shells(words: list[str]) -> None:
    assert not parent_environment.is_shell(words)


def test_a_start_up_file_named_by_env_is_considered() -> None:
    assert not parent_environment.keeps(["sh"], {"ENV": "x"})


def test_a_missing_process_has_no_environment() -> None:
    assert parent_environment.of(0) is None
    assert parent_environment.of(2**22 + 1) is None


def test_the_environment_of_the_parent_process_can_be_read() -> None:
    found = parent_environment.of(os.getpid())
    assert found is None or found.environment
