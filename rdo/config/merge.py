"""Which value wins: merges the profiles of all config files into the settings of one.

Pure. A value of the chosen profile takes precedence over one of `default`, whatever their files; within a profile the
later file takes precedence. Tables are merged name by name, everything else is replaced.

A key that only some drivers support belongs to the driver of its section. It is an error if that driver does not
support it, and it is not used if the chosen profile has another driver: a profile for docker inherits nothing that was
meant for ssh.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from types import MappingProxyType
from typing import Any, NamedTuple

from rdo.config.document import ConfigDocument, ConfigEntry, Origin
from rdo.config.schema import CONTAINERS, DEFAULT_PROFILE, DRIVERS, KEYS, Settings
from rdo.config.types import VARIABLES
from rdo.util.phrases import listed, nearest, shortened

DEFAULT_ORIGIN = Origin("default")
"""The origin of a value that is in no file."""

DRIVER_BY_KEY = {"host": "ssh", **dict.fromkeys(CONTAINERS, "docker")}
"""The driver that a key implies if none is named."""

PUSH_KEYS = ("pull", "include", "exclude", "sync_git")
"""Keys that have no effect unless files are pushed."""

DIRECTORY_UNKNOWN = ("ssh", "local")
"""Drivers that cannot find out where the project is on the target."""

LIST_LIMIT = 8
"""Names that an error message lists in full."""


class Resolution(NamedTuple):
    """Settings, and the origin of each: by key, and by `env.NAME` for each variable."""

    settings: Settings
    origins: Mapping[str, Origin]
    profiles: tuple[str, ...]


class DriverChoice(NamedTuple):
    """The driver of a profile; `because` is the reason if no file names it."""

    driver: str
    origin: Origin
    because: str = ""


def resolve(
    documents: Sequence[ConfigDocument], profile: str, config_file: str, vagrantfile: str | None, variable: str = ""
) -> Resolution:
    """The settings of a profile, from validated documents in the order of their layers.

    `vagrantfile` is one in the config file's directory or a parent; `variable` is the one that names the profile.
    Raises ConfigError for an unknown profile, for one without a driver, for keys that its driver does not support, and
    for missing keys that its driver needs.
    """
    place = Origin(config_file)
    profiles = tuple(dict.fromkeys([DEFAULT_PROFILE, *chain(*(document.sections for document in documents))]))
    if profile not in profiles:
        named = f"{variable} names it; " if variable else ""
        raise place.error(f"no profile `{shortened(profile)}`", named + _profile_hint(profile, profiles))
    entries = _of(documents, DEFAULT_PROFILE) + (_of(documents, profile) if profile != DEFAULT_PROFILE else ())
    choice = _choose(entries, vagrantfile)
    if not choice:
        raise place.error(f"profile `{profile}` sets no driver", f"write `driver = ...`, one of {listed(DRIVERS)}")
    homes = _homes(documents, {DEFAULT_PROFILE: _choose(_of(documents, DEFAULT_PROFILE), vagrantfile), profile: choice})
    for entry in _of(documents, profile):
        _check_driver(entry, _home(entry, homes), choice)
    used = [entry for entry in entries if _is_used(entry, _home(entry, homes), choice.driver)]
    merged = _merge(used)
    _check_needs(merged, choice.driver, profile, place)
    values: dict[str, Any] = {key: entry.value for key, entry in merged.items()} | {"driver": choice.driver}
    return Resolution(Settings(**values), _origins(merged, used, choice), profiles)


def _profile_hint(profile: str, profiles: Sequence[str]) -> str:
    are = "the only profile is" if len(profiles) == 1 else "the profiles are"
    names = f"{are} {listed(profiles)}" if len(profiles) <= LIST_LIMIT else ""
    return " ".join(filter(None, (nearest(profile, profiles), names)))


def _of(documents: Sequence[ConfigDocument], profile: str) -> tuple[ConfigEntry, ...]:
    return tuple(entry for document in documents for entry in document.entries if entry.origin.section == profile)


def _choose(entries: Sequence[ConfigEntry], vagrantfile: str | None) -> DriverChoice | None:
    named = [entry for entry in entries if entry.key == "driver"]
    if named:
        return DriverChoice(str(named[-1].value), named[-1].origin)
    if vagrantfile:
        return DriverChoice("vagrant", Origin(vagrantfile), f"because of {vagrantfile}")
    found = {entry.key: entry for entry in entries}
    key = next((key for key in DRIVER_BY_KEY if key in found), "")
    if not key:
        return None
    return DriverChoice(DRIVER_BY_KEY[key], found[key].origin, f"because `{found[key].written}` is set")


def _homes(
    documents: Sequence[ConfigDocument], choices: Mapping[str, DriverChoice | None]
) -> dict[tuple[str, str], str]:
    """The driver that the keys of a section are meant for, by file and section; "" for any.

    That is the driver named in the very section, else the one its profile has; but what a user wrote into the user file
    for all profiles of all projects is meant for any.
    """
    homes: dict[tuple[str, str], str] = {}
    for document in documents:
        for section, choice in choices.items():
            is_general = document.personal and section == DEFAULT_PROFILE
            homes[document.file, section] = "" if is_general or not choice else choice.driver
        named = (entry for entry in document.entries if entry.key == "driver")
        homes |= {(document.file, entry.origin.section): str(entry.value) for entry in named}
    return homes


def _home(entry: ConfigEntry, homes: Mapping[tuple[str, str], str]) -> str:
    return homes[entry.origin.file, entry.origin.section]


def _check_driver(entry: ConfigEntry, home: str, choice: DriverChoice) -> None:
    drivers = KEYS[entry.key].drivers
    if not drivers or not home or home in drivers:
        return
    because = f", {choice.because}" if choice.because and choice.driver == home else ""
    why = f"`{entry.written}` is a key of driver {' and '.join(f'`{name}`' for name in drivers)}"
    hint = f'write `driver = "{drivers[0]}"`, or remove `{entry.written}`'
    raise entry.origin.error(f"{why}, and the driver here is `{home}`{because}", hint)


def _is_used(entry: ConfigEntry, home: str, driver: str) -> bool:
    drivers = KEYS[entry.key].drivers
    return not drivers or (driver in drivers and (home == driver or home not in drivers))


def _merge(entries: Iterable[ConfigEntry]) -> dict[str, ConfigEntry]:
    merged: dict[str, ConfigEntry] = {}
    for entry in entries:
        for rival in CONTAINERS if entry.key in CONTAINERS else ():
            merged.pop(rival, None)
        earlier = merged.get(entry.key)
        if earlier and KEYS[entry.key].value_type is VARIABLES:
            entry = entry._replace(value=MappingProxyType({**_table(earlier), **_table(entry)}))
        merged[entry.key] = entry
    return merged


def _table(entry: ConfigEntry) -> Mapping[str, Any]:
    return entry.value if isinstance(entry.value, Mapping) else {}


def _check_needs(merged: Mapping[str, ConfigEntry], driver: str, profile: str, place: Origin) -> None:
    if driver == "ssh" and "host" not in merged:
        raise place.error(f"profile `{profile}` has driver `ssh`, but no `host`", 'write `host = "devbox"`')
    _check_sync(merged, driver)
    directory = merged.get("directory")
    if driver == "docker" and directory and str(directory.value).startswith("~"):
        why = f"`{directory.written}` is relative to the login directory, but a container has none"
        raise directory.origin.error(why, "write an absolute path")


def _check_sync(merged: Mapping[str, ConfigEntry], driver: str) -> None:
    sync = merged.get("sync")
    idle = next((merged[key] for key in PUSH_KEYS if key in merged), None)
    if sync is None and idle:
        raise idle.origin.error(f"`{idle.written}` says what to copy, but `sync` is not set", 'write `sync = "push"`')
    if sync is None or sync.value == "no":
        return
    if sync.value != "push" and idle:
        why = f'`{idle.written}` is for `sync = "push"`, and `sync` is `{sync.value}`'
        raise idle.origin.error(why, f"remove `{idle.written}`")
    if driver in DIRECTORY_UNKNOWN and "directory" not in merged:
        hint = 'write `directory = "/where/this/directory/is/on/the/target"`'
        raise sync.origin.error("`sync` has no place to copy to: no `directory` is set", hint)


def _origins(
    merged: Mapping[str, ConfigEntry], used: Iterable[ConfigEntry], choice: DriverChoice
) -> Mapping[str, Origin]:
    origins = dict.fromkeys(KEYS, DEFAULT_ORIGIN) | {key: entry.origin for key, entry in merged.items()}
    for entry in used:
        for name in _table(entry):
            line = entry.parts.get(name, entry.origin.line)
            origins[f"{entry.key}.{name}"] = entry.origin._replace(line=line)
    return MappingProxyType(origins | {"driver": choice.origin})
