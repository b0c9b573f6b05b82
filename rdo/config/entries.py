"""The content of a config file, whatever its syntax, before it is checked: its entries, and where each stands.

Pure values, and the errors that point at a place in a file.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from rdo.errors import ConfigError

FILE_LIMIT = 64 * 1024
"""Bytes of a config file. The worst text of that size keeps a TOML parser busy for a second."""

_NOWHERE: Mapping[str, int] = MappingProxyType({})


class Origin(NamedTuple):
    """Where a value comes from. Lines count from 1; line 0 and section "" stand for an unknown one."""

    file: str
    line: int = 0
    section: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    def error(self, why: str, hint: str = "") -> ConfigError:
        """An error whose line begins with this place, as those of compilers do."""
        return ConfigError(str(self), why, hint)


class ConfigEntry(NamedTuple):
    """One key with its value.

    `label` is the key as it stands in the file, where that is another word. `parts` are the lines of a table's names.
    """

    key: str
    value: object
    origin: Origin
    label: str = ""
    parts: Mapping[str, int] = _NOWHERE

    @property
    def written(self) -> str:
        return self.label or self.key


class ConfigDocument(NamedTuple):
    """A file's entries in the order written, and its sections, the empty ones included.

    `personal` is the user's own file, for all projects.
    """

    file: str
    sections: tuple[str, ...]
    entries: tuple[ConfigEntry, ...]
    personal: bool = False
