"""The INI files of the first rdo: recognises and parses them.

Pure. A value is unquoted text up to the end of the line, or to a comment after a space; keys are case-insensitive. Keys
that only the first rdo had are translated in legacy.py.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from rdo.config.document import ConfigDocument, ConfigEntry, Origin
from rdo.config.schema import DEFAULT_PROFILE, KEYS
from rdo.config.types import VARIABLES
from rdo.errors import ConfigError
from rdo.util.phrases import shortened

COMMENTS = ("#", ";")
QUOTES = ("'", '"')

_DELIMITER = re.compile("[=:]")
_COMMENT = re.compile(r"(?<=\s)[#;].*")
_SAME_IN_BOTH = re.compile(r"true|false|[+-]?[0-9]+(?:\.[0-9]+)?")


class _Pair(NamedTuple):
    """A line `key = value`; `table` is the table key that it belongs to, such as `env`."""

    section: str
    table: str
    key: str
    value: str
    line: int


def looks_like_ini(text: str) -> bool:
    """Whether a text that is not TOML is meant to be INI: more of its values are unquoted than quoted."""
    return sum(_leaning(line.strip()) for line in text.split("\n")) > 0


def _leaning(line: str) -> int:
    """1 for a line that only INI allows, -1 for one that only TOML allows, 0 for one that both or neither allow."""
    if line.startswith(";"):
        return 1
    if line.startswith(("[[", "{", "}", "]", *QUOTES)):
        return -1
    key, value = _split(line)
    if not key or not value or line.startswith(("#", "[")) or _SAME_IN_BOTH.fullmatch(value):
        return 0
    return -1 if value.startswith(("[", "{", *QUOTES)) or value.endswith(QUOTES) else 1


def read(file: str, text: str, personal: bool = False) -> ConfigDocument:
    """Parse an INI file. Raises ConfigError with the line that cannot be parsed."""
    sections = {DEFAULT_PROFILE: None}
    pairs: list[_Pair] = []
    for pair in _pairs(file, text):
        sections[pair.section] = None
        if pair.key:
            pairs.append(pair)
    plain = tuple(_entry(file, pair) for pair in pairs if not pair.table)
    tables = groupby(sorted((pair for pair in pairs if pair.table), key=_address), key=_address)
    return ConfigDocument(
        file, tuple(sections), plain + tuple(_table(file, list(group)) for _, group in tables), personal
    )


def _pairs(file: str, text: str) -> Iterator[_Pair]:
    """Every pair, and for every header a pair without a key."""
    section, table = DEFAULT_PROFILE, ""
    headers: set[tuple[str, str]] = set()
    for number, line in enumerate(map(str.strip, text.split("\n")), 1):
        if not line or line.startswith(COMMENTS):
            continue
        if line.startswith("["):
            section, table = _header(file, line, number)
            if (section, table) in headers:
                raise Origin(file, number).error(f"a second `{shortened(line)}`", "put its keys under the first")
            headers.add((section, table))
            yield _Pair(section, table, "", "", number)
            continue
        key, value = _split(line)
        if not key:
            raise _no_pair(file, line, number)
        yield _Pair(section, table, key if table else key.lower(), value, number)


def _header(file: str, line: str, number: int) -> tuple[str, str]:
    """The profile and the table key of a section: `[docker]`, `[env]`, `[docker.env]`."""
    name = _COMMENT.sub("", line).strip()[1:]
    if not name.endswith("]") or not name[:-1].strip():
        raise Origin(file, number).error(f"`{shortened(line)}` is not a section name", "write `[NAME]`")
    name = name[:-1].strip()
    profile, dot, last = name.rpartition(".")
    if last in KEYS and KEYS[last].value_type is VARIABLES and (profile or not dot):
        return profile or DEFAULT_PROFILE, last
    return name, ""


def _split(line: str) -> tuple[str, str]:
    """Key and value; an empty key if the line has none."""
    delimiter = _DELIMITER.search(line)
    if not delimiter:
        return "", ""
    return line[: delimiter.start()].strip(), _bare(line[delimiter.end() :].strip())


def _bare(value: str) -> str:
    """The value without a comment, and without quotes around all of it."""
    end = value.find(value[0], 1) if value.startswith(QUOTES) else -1
    if end > 0 and (len(value) == end + 1 or value[end + 1 :].lstrip().startswith(COMMENTS)):
        return value[: end + 1]
    return _COMMENT.sub("", value).rstrip()


def _no_pair(file: str, line: str, number: int) -> ConfigError:
    if _DELIMITER.match(line):
        return Origin(file, number).error(f"`{shortened(line)}` names no key", "write `KEY = VALUE`")
    word = shortened(line.split()[0])
    return Origin(file, number).error(f"`{shortened(line)}` has no `=`", f"write `{word} = VALUE`")


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) > 1 and value[0] in QUOTES and value[0] == value[-1] else value


def _entry(file: str, pair: _Pair) -> ConfigEntry:
    value: object = _unquoted(pair.value)
    if pair.key in KEYS:
        value = KEYS[pair.key].value_type.from_bare(_unquoted(pair.value))
    return ConfigEntry(pair.key, value, Origin(file, pair.line, pair.section))


def _address(pair: _Pair) -> tuple[str, str]:
    return pair.section, pair.table


def _table(file: str, pairs: list[_Pair]) -> ConfigEntry:
    lines: dict[str, int] = {}
    for pair in pairs:
        if pair.key in lines:
            hint = f"the first is in line {lines[pair.key]}"
            raise Origin(file, pair.line).error(f"a second `{shortened(pair.key)}` in `{pair.table}`", hint)
        lines[pair.key] = pair.line
    value = {pair.key: _unquoted(pair.value) for pair in pairs}
    return ConfigEntry(pairs[0].table, value, Origin(file, pairs[0].line, pairs[0].section), parts=lines)
