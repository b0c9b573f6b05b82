"""Tests for the variables of a command: whose value takes precedence, which are passed on, and which never are."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from rdo import plan
from rdo.config.schema import Settings
from tests.unit.test_plan import make, request


def environment(asked: dict[str, object], settings: Settings | None = None) -> dict[str, str]:
    return dict(make(request(b"env", **asked), settings).script.environment)


def test_nothing_is_passed_on_by_default() -> None:
    assert environment({"environ": [b"SECRET=x", b"HOME=/root", b"TERM=xterm"]}) == {}


@pytest.mark.parametrize(
    ("sources", "value"),
    [
        pytest.param("pass_env", "pass_env", id="passed on"),
        pytest.param("pass_env env", "env", id="the config's"),
        pytest.param("pass_env env option", "option", id="the command's"),
        pytest.param("option", "option", id="the command's alone"),
    ],
)
def test_the_nearest_value_wins(sources: str, value: str) -> None:
    asked: dict[str, object] = {"environ": [b"A=pass_env"], "variables": [b"A=option"] if "option" in sources else []}
    settings = Settings(pass_env=("A",) if "pass_env" in sources else (), env={"A": "env"} if " env" in sources else {})
    assert environment(asked, settings) == {"A": value}


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        pytest.param(("LANG",), {"LANG"}, id="a name"),
        pytest.param(("LC_*",), {"LC_ALL", "LC_TIME"}, id="a pattern"),
        pytest.param(("LANG", "LC_[A]*", "NONE"), {"LANG", "LC_ALL"}, id="several"),
        pytest.param(("lang",), set(), id="in the wrong case"),
        pytest.param(("*",), {"LANG", "LC_ALL", "LC_TIME"}, id="all that a shell can take"),
    ],
)
def test_variables_are_passed_on_by_name_and_pattern(patterns: tuple[str, ...], names: set[str]) -> None:
    caller = [b"LANG=C", b"LC_ALL=C", b"LC_TIME=C", b"BASH_FUNC_x%%=() { :; }", b"UID=0", b"odd"]
    assert set(environment({"environ": caller}, Settings(pass_env=patterns))) == names


def test_a_value_may_be_anything() -> None:
    assert environment({"variables": [b"A==\xff\n", b"B="]}) == {"A": "=\udcff\n", "B": ""}


@pytest.mark.parametrize("name", ["", "9A", "A-B", "A.B", "A B", "Ä", "A\n", "x;id", "$(id)"])
def test_a_name_that_no_shell_can_set_is_dropped(name: str) -> None:
    assert environment({}, Settings(env={name: "x", "B": "y"})) == {"B": "y"}


@pytest.mark.parametrize("name", sorted(plan.READ_ONLY))
def test_a_readonly_variable_of_a_shell_is_dropped(name: str) -> None:
    assert environment({"variables": [f"{name}=1".encode()]}) == {}


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_those_are_the_readonly_variables_of_bash() -> None:
    run = subprocess.run(["bash", "--posix", "-c", "readonly -p"], capture_output=True, text=True, check=True)
    names = {line.partition("=")[0].rpartition(" ")[2] for line in run.stdout.splitlines()}
    assert names <= plan.READ_ONLY


@pytest.mark.parametrize(
    ("flags", "term", "variables", "expected"),
    [
        pytest.param(b"", b"xterm", [], {}, id="no pty"),
        pytest.param(b"p", b"xterm", [], {"TERM": "xterm"}, id="a pty"),
        pytest.param(b"p", b"", [], {"TERM": "dumb"}, id="a pty and no name: a shell that waited may have another"),
        pytest.param(b"p", b"xterm", [b"TERM=dumb"], {"TERM": "dumb"}, id="another one asked for"),
        pytest.param(b"", b"xterm", [b"TERM=dumb"], {"TERM": "dumb"}, id="one asked for without a pty"),
    ],
)
def test_the_terminals_name_is_sent_with_a_pty(
    flags: bytes, term: bytes, variables: list[bytes], expected: dict[str, str]
) -> None:
    assert environment({"flags": flags, "term": term, "variables": variables}) == expected


def test_items_without_a_value_are_not_variables() -> None:
    assert list(plan.pairs([b"A=1", b"B", b"C=", b"=D"])) == [("A", "1"), ("C", ""), ("", "D")]
