"""Which characters the caller's terminal can show. Pure.

To a terminal of another charset UTF-8 is not just unreadable: the second byte of a letter may be a control. (U+011B has
0x9b there, which in ISO 8859 begins an escape sequence.) So there only ASCII is shown, as ssh does with banners.
"""

from __future__ import annotations

from collections.abc import Mapping

SILENT_LOCALES = ("", "C", "POSIX")
"""Locales that say nothing about the terminal: Python takes them for UTF-8, too (PEP 538)."""


def is_utf8(environment: Mapping[str, str]) -> bool:
    """Whether the locale of that environment has UTF-8, or says nothing."""
    names = (environment.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))
    locale = next(filter(None, names), "")
    return locale in SILENT_LOCALES or "utf8" in locale.lower().replace("-", "")


def escaped_for_terminal(text: str, environment: Mapping[str, str]) -> str:
    """The text, with all that is not ASCII escaped where the terminal has another charset."""
    if text.isascii() or is_utf8(environment):
        return text
    return text.encode("ascii", "backslashreplace").decode()
