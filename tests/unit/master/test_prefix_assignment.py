"""Which variables a command line began with, so far as that is sure, and what is said of them."""

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
    """What started a command: a shell that was started with this environment."""
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
    assert after().new_assignments(environment, shell({**SHELL, "SHLVL": "1"})) == ["A"]
    assert after().new_assignments(environment, shell({**SHELL, "B": "1"})) == []
    assert after().new_assignments(environment, nothing) == []


def test_what_the_shell_was_started_with_was_not_typed() -> None:
    environment = {**SHELL, "A": "1", "B": "2"}
    known = after(SHELL)
    assert known.new_assignments(environment, shell({**SHELL, "A": "1", "B": "1"}, adds_nothing=False)) == ["B"]


def test_what_a_program_starts_that_is_no_shell_was_not_typed() -> None:
    """vim sets VIM for all that it runs."""
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
def test_what_bash_passes_on_before_its_table_is_told(before: list[str], after: list[str], names: list[str]) -> None:
    assert before_table(before + BASH + after) == names


def test_a_name_that_would_fit_into_the_table_is_not_told() -> None:
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
def test_any_other_order_says_nothing(names: list[str]) -> None:
    assert before_table(names) == []


def test_the_order_counts_where_the_process_that_started_the_command_says_nothing() -> None:
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


def test_what_rdo_itself_obeys_is_meant_for_here() -> None:
    table = README.read_text().split("## Environment variables\n")[1].split("\n## ")[0]
    names = re.findall(r"`([A-Z_]+)`", " ".join(line.split("|")[1] for line in table.splitlines() if line[:1] == "|"))
    assert {"BROWSER", "DOCKER_HOST", "SSH_AUTH_SOCK"} < set(names)
    known = after(SHELL)
    assert [name for name in names if known.new_assignments({**SHELL, name: "1"}, nothing)] == []


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


@pytest.mark.parametrize(
    "words", [["-bash"], ["/bin/sh", "-c", "x"], ["python3", "/usr/bin/xonsh"], ["busybox", "ash"]]
)
def test_a_shell_is_known_by_its_name(words: list[str]) -> None:
    assert parent_environment.is_shell(words)


@pytest.mark.parametrize("words", [["vim", "x"], ["script", "-qc", "sh"], ["make", "SHELL=rdo", "sh"], []])
def test_other_programs_are_none(words: list[str]) -> None:
    assert not parent_environment.is_shell(words)


def test_a_start_up_file_named_by_env_counts() -> None:
    assert not parent_environment.keeps(["sh"], {"ENV": "x"})


def test_no_environment_is_had_of_a_process_that_is_not_there() -> None:
    assert parent_environment.of(0) is None
    assert parent_environment.of(2**22 + 1) is None


def test_the_environment_of_the_process_that_started_this_one_is_had_where_the_system_tells() -> None:
    found = parent_environment.of(os.getpid())
    assert found is None or found.environment
