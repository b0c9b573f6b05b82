"""TOML data and its text, put together: which profile each key belongs to, and where it stands.

Pure: the TOML parser comes in as an argument. It tells no lines, so the text is cut into statements, each of them
parsed by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from rdo.config.entries import LARGEST, ConfigDocument, ConfigEntry, Origin
from rdo.config.schema import DEFAULT_PROFILE, KEYS
from rdo.util.phrases import shortened

TomlParser = Callable[[str], dict[str, Any]]
"""Text to data; ValueError or RecursionError for what is no TOML."""

Lines = Mapping[tuple[str, ...], int]
"""Lines by path, such as ("docker", "env", "STAGE")."""

MOST_PARSED = 2 * LARGEST
"""Characters that are parsed for the sake of lines, in all: half a second of work. Beyond, no lines are told.

A statement of several lines is parsed once for each line that may be its last.
"""

CLOSING = ("]", "}", "'''", '"""')
"""One of them is in the last line of every statement that has several."""

_DEPTH = 3
"""Profile, key, and name in a table."""


class Statement(NamedTuple):
    """A pair or a header, by the lines it takes up."""

    first: int
    last: int
    data: Mapping[str, Any]
    is_header: bool


def statements(text: str, parse: TomlParser) -> Iterator[Statement]:
    """The statements up to the first that does not end."""
    lines = text.split("\n")
    first = parsed = 0
    for last, line in enumerate(lines):
        if last > first and not any(sign in line for sign in CLOSING):
            continue
        tried = "\n".join(lines[first : last + 1])
        parsed += len(tried)
        if parsed > MOST_PARSED:
            return
        try:
            data = parse(tried)
        except (ValueError, RecursionError):
            continue
        yield Statement(first + 1, last + 1, data, lines[first].lstrip().startswith("["))
        first = last + 1


def lines_of(text: str, parse: TomlParser) -> Lines:
    found: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    for statement in statements(text, parse):
        paths = list(_paths(statement.data))
        if statement.is_header:
            section = paths[-1]
            paths = [()]
        for path in paths:
            found.setdefault(section + path, statement.first)
    return found


def _paths(data: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in data.items():
        yield (*above, name)
        if isinstance(value, dict) and len(above) + 1 < _DEPTH:
            yield from _paths(value, (*above, name))


def arrange(file: str, data: Mapping[str, Any], lines: Lines, personal: bool = False) -> ConfigDocument:
    """The document of a file: tables are profiles, unless their name is a key."""
    profiles = {name: value for name, value in data.items() if isinstance(value, dict) and name not in KEYS}
    entries = [_entry(file, data, (name,), lines) for name in data if name not in profiles]
    entries += [_entry(file, data, (profile, name), lines) for profile in profiles for name in profiles[profile]]
    return ConfigDocument(file, tuple(dict.fromkeys([DEFAULT_PROFILE, *profiles])), tuple(entries), personal)


def _entry(file: str, data: Mapping[str, Any], path: tuple[str, ...], lines: Lines) -> ConfigEntry:
    *above, key = path
    value = data[above[0]][key] if above else data[key]
    origin = Origin(file, lines.get(path, 0), above[0] if above else DEFAULT_PROFILE)
    if not above and key not in KEYS and isinstance(value, list) and value and isinstance(value[0], dict):
        name = shortened(key)
        raise origin.error(f"`[[{name}]]` is a list of tables, and a profile is one", f"write `[{name}]`")
    if not isinstance(value, dict):
        return ConfigEntry(key, value, origin)
    paths = {name: (*path, name) for name in value}
    return ConfigEntry(
        key, value, origin, parts={name: lines[below] for name, below in paths.items() if below in lines}
    )


def unfinished(text: str, parse: TomlParser) -> int:
    """The line where the first statement begins that never ends, else the last line."""
    last = max((statement.last for statement in statements(text, parse)), default=0)
    return min(last, text.rstrip().count("\n")) + 1
