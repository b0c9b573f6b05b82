"""Tests for which commands may open a URL here. Opening one is tested with both clients in
tests/native/test_open_url.py.
"""

from __future__ import annotations

import pytest

from rdo.client.browser import commands

URL = "http://localhost:8000/"


@pytest.mark.parametrize(
    ("browser", "expected"),
    [
        pytest.param("", [], id="none"),
        pytest.param("firefox", [["firefox", URL]], id="a program"),
        pytest.param("firefox --new %s:w3m", [["firefox", "--new", URL], ["w3m", URL]], id="several"),
        pytest.param(" : &:firefox  %s  &", [["firefox", URL]], id="blanks"),
    ],
)
@pytest.mark.parametrize(("platform", "last"), [("linux", "xdg-open"), ("darwin", "open"), ("freebsd14", "xdg-open")])
def test_commands_in_browser_come_before_the_systems(
    browser: str, expected: list[list[str]], platform: str, last: str
) -> None:
    assert list(commands(URL, {"BROWSER": browser}, platform)) == [*expected, [last, URL]]


def test_without_the_variable_the_systems_command_is_used() -> None:
    assert list(commands(URL, {}, "linux")) == [["xdg-open", URL]]
