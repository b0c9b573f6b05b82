"""Tests for values that are derived from a host's options."""

from __future__ import annotations

import pytest

from rdo.drivers.ssh.options import paths, variables
from tests.ssh_client import ScriptedCaller
from tests.unit.drivers.ssh.test_query_output import options


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("/a /b", ("/a", "/b")),
        ("/with space/a ~/b", ("/with space/a", "~/b")),
        ("/with space/a ${HOME}/b %d/c ./d e", ("/with space/a", "${HOME}/b", "%d/c", "./d e")),
        ("one two /three", ("one", "two", "/three")),
    ],
)
def test_paths_printed_without_quotes_are_separated(text: str, expected: tuple[str, ...]) -> None:
    assert paths(text) == expected


def test_sent_variables_match_a_pattern_and_set_ones_take_precedence() -> None:
    found = options("sendenv LC_*", "sendenv LANG", "setenv LANG=C", "setenv GREETING=a b=c")
    sent = variables(found, ScriptedCaller(environment={"LC_ALL": "x", "LANG": "de", "SECRET": "s"}))
    assert sent == {"LC_ALL": "x", "LANG": "C", "GREETING": "a b=c"}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", {"A", "AB", "A[B]"}),
        ("A", {"A"}),
        ("A?", {"AB"}),
        ("A[B]", {"A[B]"}),
        ("a", set()),
        ("", set()),
    ],
)
def test_only_stars_and_question_marks_are_special_in_a_pattern(pattern: str, names: set[str]) -> None:
    caller = ScriptedCaller(environment=dict.fromkeys(("A", "AB", "A[B]"), "x"))
    assert set(variables(options(f"sendenv {pattern}"), caller)) == names


def test_without_options_or_patterns_nothing_of_the_environment_is_sent() -> None:
    caller = ScriptedCaller(environment={"A": "x"})
    assert variables(None, caller) == {}
    assert variables(options("setenv B=c"), caller) == {"B": "c"}


@pytest.mark.parametrize(
    ("lines", "known_as"),
    [
        (["hostname 10.0.0.7"], "10.0.0.7"),
        (["hostname 10.0.0.7", "port 2222"], "[10.0.0.7]:2222"),
        (["hostname 10.0.0.7", "port 2222", "hostkeyalias vm-1"], "vm-1"),
    ],
)
def test_a_host_is_known_by_address_port_or_alias(lines: list[str], known_as: str) -> None:
    assert options(*lines).known_as == known_as


@pytest.mark.parametrize(("lines", "address"), [([], "alice@devbox"), (["port 2222"], "alice@devbox:2222")])
def test_the_address_for_people_has_the_name_that_was_typed(lines: list[str], address: str) -> None:
    assert options("hostname 10.0.0.7", *lines).address == address
