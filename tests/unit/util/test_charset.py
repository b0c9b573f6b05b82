"""Tests for the charset of the terminal according to the locale, and for text that is shown on it."""

from __future__ import annotations

import pytest

from rdo.util import charset


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LANG": "C"},
        {"LC_ALL": "", "LC_CTYPE": "UTF-8", "LANG": "de_DE"},
        {"LC_ALL": "C.UTF-8", "LANG": "ja_JP.eucJP"},
        {"LANG": "de_DE.utf8@euro"},
        {"LANG": "POSIX"},
    ],
)
def test_a_terminal_with_utf8_or_an_unknown_charset_gets_unchanged_text(environment: dict[str, str]) -> None:
    assert charset.escaped_for_terminal("\xe9\u6f22", environment) == "\xe9\u6f22"


@pytest.mark.parametrize("locale", ["en_US", "de_DE@euro", "ja_JP.eucJP", "en_US.ISO-8859-1", "ru_RU.KOI8-R"])
def test_a_terminal_with_another_charset_gets_only_ascii(locale: str) -> None:
    assert charset.escaped_for_terminal("a\xe9\u011b", {"LANG": locale}) == "a\\xe9\\u011b"
    assert charset.escaped_for_terminal("plain", {"LC_CTYPE": locale}) == "plain"
