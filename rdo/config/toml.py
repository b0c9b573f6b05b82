"""Combines TOML data with its text: the values, the line of each, and syntax errors. Pure.

No other module imports the TOML parser. It reports no lines, so the text is split into statements, and each is parsed
separately.
"""

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from rdo.config.document import FILE_LIMIT, ConfigText, Lines, Origin
from rdo.config.schema import KEYS
from rdo.config.types import BOOLEAN_WORDS, FLAG
from rdo.errors import ConfigError
from rdo.util.phrases import literal, shortened

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TomlParser = Callable[[str], dict[str, Any]]
"""Converts text to data; raises ValueError or RecursionError if it is not TOML."""

PARSE_LIMIT = 2 * FILE_LIMIT
"""Total characters to parse in order to find the lines: half a second of work. Beyond that, lines are unknown.

A statement of several lines is parsed once for each line that may be its last.
"""

CLOSING = ("]", "}", "'''", '"""')
"""The last line of every statement with several lines contains one of these."""

_DEPTH = 3
"""Profile, key, and name in a table."""


LATE_COMPLAINTS = ("unclosed", "unterminated")
"""Prefixes of error messages whose position is only the next token, or the end."""

CLASH_COMPLAINTS = ("cannot", "duplicate")
"""Prefixes of error messages about something that would be correct if it were the first."""

_COMPLAINT = r"(?s)(?P<why>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)"
_PAIR = r"([A-Za-z0-9_.-]+)[ \t]*=[ \t]*([^#]*)"


class Statement(NamedTuple):
    """A pair or a header, with its lines."""

    first: int
    last: int
    data: Mapping[str, Any]
    is_header: bool


def statements(text: str, parse: TomlParser = tomllib.loads) -> Iterator[Statement]:
    """The statements up to the first that is incomplete."""
    lines = text.split("\n")
    first = parsed = 0
    for last, line in enumerate(lines):
        if last > first and not any(sign in line for sign in CLOSING):
            continue
        tried = "\n".join(lines[first : last + 1])
        parsed += len(tried)
        if parsed > PARSE_LIMIT:
            return
        try:
            data = parse(tried)
        except (ValueError, RecursionError):
            continue
        yield Statement(first + 1, last + 1, data, lines[first].lstrip().startswith("["))
        first = last + 1


def read(text: str) -> ConfigText:
    """Parse the text. Raises ValueError or RecursionError if it is not TOML."""
    return ConfigText(tomllib.loads(text), lines_of(text))


def lines_of(text: str, parse: TomlParser = tomllib.loads) -> Lines:
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


def unfinished(text: str) -> int:
    """The line where the first incomplete statement begins, or else the last line."""
    last = max((statement.last for statement in statements(text)), default=0)
    return min(last, text.rstrip().count("\n")) + 1


def syntax_error(file: str, text: str, complaint: Exception) -> ConfigError:
    """The error for an error message of the TOML parser."""
    if isinstance(complaint, RecursionError):
        return Origin(file).error("nested too deeply", "flatten it")
    parts = re.fullmatch(_COMPLAINT, str(complaint))
    if not parts:
        return Origin(file, unfinished(text)).error("a number that is too long", "shorten it")
    why = parts["why"][:1].lower() + parts["why"][1:]
    is_late = not parts["line"] or why.startswith(LATE_COMPLAINTS)
    line = unfinished(text) if is_late else int(parts["line"])
    written = text.split("\n")[line - 1]
    if why.startswith(CLASH_COMPLAINTS):
        what = f"`{_name(written, why)}` conflicts with what is set before it"
        return Origin(file, line).error(what, "each name can be set only once")
    return Origin(file, line).error(why, remedy(written))


def _name(line: str, complaint: str) -> str:
    """The name in the line that is used a second time. The complaint says which one of an inline table it is."""
    inline = re.match(r"duplicate inline table key '(.*)'", complaint)
    return shortened(inline[1] if inline else re.split("[=#]", line)[0].strip())


def remedy(line: str) -> str:
    """What to write instead of a line that is not TOML; empty if that is unclear."""
    line = line.strip()
    pair = re.match(_PAIR, line)
    if not pair:
        word = re.match(r"[A-Za-z0-9_-]+", line)
        return f"write `{word[0]} = VALUE`" if word and "=" not in line else ""
    key, value = pair[1], pair[2].strip()
    if value.startswith(("'", '"')):
        return f"close the string with {value[0]}" if value.count(value[0]) == 1 else ""
    if not value:
        return "write a value after the `=`"
    if value.startswith("["):
        is_bare = re.match(r"\[[ \t]*[A-Za-z_]", value)
        return "close the list with ]" if "]" not in value else "quote each string in the list" if is_bare else ""
    if value.startswith("{"):
        return _table_remedy(value)
    if value in ("true", "false"):
        return ""
    if key in KEYS and KEYS[key].value_type is FLAG and value.lower() in BOOLEAN_WORDS:
        return f"write `{key} = {str(BOOLEAN_WORDS[value.lower()]).lower()}`"
    quoted = literal(value.rstrip("'\""))
    return f"quote it: `{key} = {quoted}`" if quoted else "quote it"


def _table_remedy(value: str) -> str:
    if "}" not in value:
        return "write all of { ... } on one line"
    return "remove the comma before the }" if re.search(r",[ \t]*}", value) else ""
