"""The contents of a config file, whatever its syntax: its entries, their positions, and whether they are valid: known
keys, values of the right types, nothing twice.

Pure. Considers one file, with all of its profiles. How profiles and files combine is decided in merge.py.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from rdo import printable
from rdo.config.names import length_fault
from rdo.config.schema import CONTAINERS, DEFAULT_PROFILE, KEYS
from rdo.config.types import InvalidValue
from rdo.errors import ConfigError
from rdo.util.phrases import nearest, shortened

FILE_LIMIT = 64 * 1024
"""Bytes of a config file. The worst text of that size keeps a TOML parser busy for a second."""

KEYS_HINT = "`rdoctl schema` shows all keys"

PROFILE_LIMIT = 100
"""Characters. The name of a profile appears in every error and question about it."""

Lines = Mapping[tuple[str, ...], int]
"""Lines by path, such as ("docker", "env", "STAGE")."""

_NOWHERE: Mapping[str, int] = MappingProxyType({})


class Origin(NamedTuple):
    """Where a value comes from. Lines count from 1; line 0 and section "" mean that it is unknown."""

    file: str
    line: int = 0
    section: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def error(self, why: str, hint: str = "") -> ConfigError:
        """An error that starts with this position, as a compiler's do."""
        return ConfigError(str(self), why, hint)


class ConfigEntry(NamedTuple):
    """A key with its value.

    `label` is the key as spelled in the file, if that differs. `parts` are the lines of the names in a table.
    """

    key: str
    value: object
    origin: Origin
    label: str = ""
    parts: Mapping[str, int] = _NOWHERE

    @property
    def written(self) -> str:
        return self.label or self.key


class ConfigText(NamedTuple):
    """The data in a TOML text, as a parser returns it, and the lines."""

    data: Mapping[str, Any]
    lines: Lines


class ConfigDocument(NamedTuple):
    """A file's entries in the order written, and its sections, including empty ones.

    `personal` is the user's own file, for all projects.
    """

    file: str
    sections: tuple[str, ...]
    entries: tuple[ConfigEntry, ...]
    personal: bool = False


def arrange(file: str, text: ConfigText, personal: bool = False) -> ConfigDocument:
    """The document of a file: tables are profiles, unless their name is a key."""
    data, lines = text
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
        raise origin.error(f"`[[{name}]]` is a list of tables, but a profile is a single table", f"write `[{name}]`")
    if not isinstance(value, dict):
        return ConfigEntry(key, value, origin)
    paths = {name: (*path, name) for name in value}
    return ConfigEntry(
        key, value, origin, parts={name: lines[below] for name, below in paths.items() if below in lines}
    )


def validate(document: ConfigDocument) -> ConfigDocument:
    """The same document with its values converted for the rest of rdo. Raises ConfigError for the first invalid
    entry."""
    for section in document.sections:
        _check_profile(section, document.file)
    checked = document._replace(entries=tuple(_check(entry, document.personal) for entry in document.entries))
    _check_doubles(checked)
    _check_containers(checked)
    return checked


def _check_profile(name: str, file: str) -> None:
    if name in KEYS:
        raise Origin(file).error(f"`{name}` is a key and cannot name a profile", "rename the profile")
    if not name.strip() or name.startswith("-") or printable.fault(name) or length_fault(name, PROFILE_LIMIT):
        raise Origin(file).error(f"`{shortened(name)}` cannot name a profile", "rename it with letters and digits")


def _check(entry: ConfigEntry, personal: bool) -> ConfigEntry:
    key = KEYS.get(entry.key)
    if not key:
        name = shortened(entry.key)
        raise entry.origin.error(f"unknown key `{name}`", nearest(name, tuple(KEYS)) or KEYS_HINT)
    if key.personal and not personal:
        hint = "move it to config.toml in ~/.config/rdo"
        raise entry.origin.error(f"`{key.name}` is allowed only in the user file", hint)
    try:
        return entry._replace(value=key.value_type.check(entry.value))
    except InvalidValue as refusal:
        hint = f"write `{key.name} = {refusal.instead}`" if refusal.instead else f"as in `{key.name} = {key.example}`"
        label = f"{entry.written}.{refusal.part}" if refusal.part else entry.written
        origin = entry.origin._replace(line=entry.parts.get(refusal.part, entry.origin.line))
        raise origin.error(f"`{label}` {refusal.why}", refusal.hint or hint) from None


def _check_doubles(document: ConfigDocument) -> None:
    seen: dict[tuple[str, str], ConfigEntry] = {}
    for entry in document.entries:
        first = seen.setdefault((entry.origin.section, entry.key), entry)
        if first is not entry:
            profile = entry.origin.section
            why = f"`{entry.written}` is a second `{entry.key}` for profile `{profile}`"
            raise entry.origin.error(why, f"the first is {_place(first)}")


def _check_containers(document: ConfigDocument) -> None:
    seen: dict[str, ConfigEntry] = {}
    for entry in document.entries:
        if entry.key in CONTAINERS:
            first = seen.setdefault(entry.origin.section, entry)
            if first is not entry:
                why = f"`{entry.written}` and `{first.written}` cannot be used together"
                raise entry.origin.error(why, f"keep one of them; the other is {_place(first)}")


def _place(entry: ConfigEntry) -> str:
    """The position without the file, which the error names already."""
    line = f" in line {entry.origin.line}" if entry.origin.line else ""
    return f"`{entry.written}`{line}"
