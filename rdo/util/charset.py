"""Which characters the caller's terminal can show. Pure.

On a terminal with another charset, UTF-8 is worse than unreadable: the second byte of a letter may be a control
character. (U+011B contains 0x9b, which begins an escape sequence in ISO 8859.) So such terminals get ASCII only, as ssh
does with banners.
"""

from __future__ import annotations

from collections.abc import Mapping

SILENT_LOCALES = ("", "C", "POSIX")
"""Locales that say nothing about the terminal. Python also assumes UTF-8 for them (PEP 538)."""


def is_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale of that environment uses UTF-8, or says nothing."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "")
    return locale in SILENT_LOCALES or "utf8" in locale.lower().replace("-", "")


def escaped_for_terminal(text: str, environment: Mapping[str, str]) -> str:
    """The text, with everything that is not ASCII escaped if the terminal has another charset."""
    if text.isascii() or is_utf8(environment):
        return text
    return text.encode("ascii", "backslashreplace").decode()
