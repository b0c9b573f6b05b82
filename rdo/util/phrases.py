"""Phrases for error messages: how a value, a name or a list of names is written.

Pure. Which error is raised, and where, is up to the callers.
"""

from collections.abc import Sequence

VALUE_LIMIT = 40
"""Characters of a value that an error message includes."""

HUGE_NUMBER = 10**15
"""Numbers from here on are not shown: Python refuses to convert an integer of more than 4,300 digits to text."""


def shown(value: object) -> str:
    """The value with its type, kept short."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case str():
            return f"the string `{shortened(value)}`"
        case int() | float():
            return "a huge number" if abs(value) >= HUGE_NUMBER else f"the number `{value}`"
        case list():
            return "a list"
        case dict():
            return "a table"
    return "a date or time"


def literal(value: object) -> str:
    """The value as a TOML string, for a message that says what to write; empty if it is too long."""
    if isinstance(value, bool):
        return f'"{str(value).lower()}"'
    if isinstance(value, int | float):
        return f'"{value}"' if abs(value) < HUGE_NUMBER else ""
    if not isinstance(value, str) or len(value) > VALUE_LIMIT:
        return ""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def shortened(text: str, limit: int = VALUE_LIMIT) -> str:
    """The text, cut if it is too long."""
    return text if len(text) <= limit else text[:limit] + "..."


def listed(names: Sequence[str], limit: int | None = None) -> str:
    """The names, each in backticks; at most `limit` of them."""
    more = " ..." if limit is not None and len(names) > limit else ""
    return ", ".join(f"`{name}`" for name in names[:limit]) + more


def nearest(name: str, names: Sequence[str]) -> str:
    """`did you mean ...?`, or nothing if no name is similar."""
    # loaded here because it takes a thirtieth of a master's start-up, and typing errors are rare
    from difflib import get_close_matches

    close = get_close_matches(name[:VALUE_LIMIT].lower(), names, n=1)
    return f"did you mean `{close[0]}`?" if close else ""
