"""What a locale says of the terminal, and what is shown on it then."""

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
def test_a_terminal_of_utf8_or_of_an_unknown_charset_is_shown_all(environment: dict[str, str]) -> None:
    assert charset.escaped_for_terminal("\xe9\u6f22", environment) == "\xe9\u6f22"


@pytest.mark.parametrize("locale", ["en_US", "de_DE@euro", "ja_JP.eucJP", "en_US.ISO-8859-1", "ru_RU.KOI8-R"])
def test_to_a_terminal_of_another_charset_no_byte_above_ascii_goes(locale: str) -> None:
    assert charset.escaped_for_terminal("a\xe9\u011b", {"LANG": locale}) == "a\\xe9\\u011b"
    assert charset.escaped_for_terminal("plain", {"LC_CTYPE": locale}) == "plain"
