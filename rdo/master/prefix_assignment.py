"""Recognises variables that a command line began with, as in `DEBUG=1 rdo make`, which do not reach the target. Pure.

No shell marks them. They are recognisable if an otherwise equal environment from the same place is known: that of an
earlier command, or of the process that started this one. If anything else differs, as after `cd` with direnv or after
activating a virtual environment, only the order of the environment tells: bash puts them before its table of variables.
Other shells sort them in (dash, mksh, posh), or append them to what was exported before (yash, zsh); with these they
cannot be recognised, and no hint is given.
"""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rdo.fscodec import fsencode

if TYPE_CHECKING:
    from rdo.master.parent_environment import Parent

ENVIRONMENT_LIMIT = 16
"""Environments of earlier commands to remember: those of some terminals."""

VARIABLE_LIMIT = 3
"""Most variables that somebody types before a command."""

SET_BY_SHELL = frozenset({"_"})
"""Variables that a shell sets for each command."""

SET_AT_START = SET_BY_SHELL | {"SHLVL", "PWD", "OLDPWD", "USER", "LOGNAME", "HOME", "SHELL", "RDO_INSIDE"}
"""Variables that differ between a process and its children, whatever was typed."""

_MEANT_FOR_HERE = re.compile(
    "(RDO|LC|SSH|DOCKER|COMPOSE|BUILDKIT|VAGRANT|XDG|MAKE|DIRENV|VIRTUAL_ENV|CONDA)(_.*)?|MAKE.*|MFLAGS|LANG|LANGUAGE|"
    "TERM|COLORTERM|NO_COLOR|COLUMNS|LINES|DISPLAY|WAYLAND_DISPLAY|BROWSER|PATH|HOME|PWD|OLDPWD|SHELL|SHLVL|TZ|TMPDIR|"
    "GPG_TTY|PS[0-9]"
)
"""Variables that rdo, or programs that it runs on this machine, obey, and those that belong to this machine or its
terminal."""

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_SHOWN_VALUE = re.compile(r"[\w.,:/+-]{0,16}", re.ASCII)
"""A value that may be repeated in a hint. A longer one may be a secret that a program put there."""

_SHOWN_COMMAND = 48
"""Characters of a command that a hint spells out."""

Variables = Mapping[str, str]


class HashTable(NamedTuple):
    """The hash table in which bash keeps its variables: see hashlib.c and variables.c in its source."""

    offset: int
    buckets: int

    def bucket(self, name: str) -> int:
        """The position of a variable in the table: FNV-1, 32 bits."""
        value = self.offset
        for byte in fsencode(name):
            value = (value * 16777619 & 0xFFFFFFFF) ^ byte
        return value & (self.buckets - 1)


SET_OUTSIDE_TABLE = SET_BY_SHELL | {"RDO_INSIDE"}
"""Variables that bash, or rdo itself, appends to the environment. bash puts functions there, too."""

BASH_TABLES = (HashTable(2166136261, 1024), HashTable(0, 1024), HashTable(0, 64))
"""The tables of bash 5, of 4.4, and of 3 to 4.3 (which macOS has). From 2048 variables on, bash 5 has a larger one, and
no hint is given."""

ORDERED_MINIMUM = 8
"""Variables that must be in the order of a table before it is taken for one. By chance, that happens in 1 of 40,000
cases."""


class PrefixAssignments:
    """Remembers hashes of the environments of earlier commands, and which variables were mentioned. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Guards what is remembered."""
        self._environments: dict[frozenset[int], None] = {}
        self._mentioned: set[str] = set()

    def remember(self, environment: Variables) -> None:
        """Remember the environment of a command."""
        seen = _hashes(environment, SET_BY_SHELL)
        with self._lock:
            self._environments.pop(seen, None)
            self._environments[seen] = None  # keeps the latest last
            while len(self._environments) > ENVIRONMENT_LIMIT:
                del self._environments[next(iter(self._environments))]

    def new_assignments(self, environment: Variables, parent: Callable[[], Parent | None]) -> list[str]:
        """The variables that a command line began with, as far as that is certain.

        `parent` returns the process that started the command, if that is known, and is called only if needed. An editor
        sets variables for all its children, and has a shell turn into the command: so it only counts as typed if the
        parent is still a shell.
        """
        with self._lock:
            earlier = list(self._environments)
        mine = _hashes(environment, SET_BY_SHELL)
        if mine in earlier:
            return []
        nearest = max((each for each in earlier if each < mine), key=len, default=None)
        if nearest is not None:
            names = _typed(_added(environment, nearest, SET_BY_SHELL))
            return _since_start(names, environment, parent()) if names else []
        started_by = parent()
        if started_by is None:
            return _typed(before_table(environment))
        if not started_by.is_shell:
            return []
        if not started_by.adds_nothing:
            return _typed(before_table(environment))
        theirs = _hashes(started_by.environment, SET_AT_START)
        return _typed(_added(environment, theirs, SET_AT_START)) if theirs < _hashes(environment, SET_AT_START) else []

    def first_mentions(self, names: Iterable[str]) -> list[str]:
        """The names that have not been mentioned to anyone."""
        with self._lock:
            fresh = [name for name in names if name not in self._mentioned]
            self._mentioned.update(fresh)
            return fresh


def _since_start(names: list[str], environment: Variables, parent: Parent | None) -> list[str]:
    """The names that the parent did not have when it was started."""
    if parent is None:
        return names
    return [name for name in names if parent.is_shell and parent.environment.get(name) != environment[name]]


def _typed(names: list[str]) -> list[str]:
    """All of the names if somebody may have typed them, and meant them for the target; else none."""
    plain = all(_PLAIN.fullmatch(name) and not _MEANT_FOR_HERE.fullmatch(name) for name in names)
    return names if plain and len(names) <= VARIABLE_LIMIT else []


def _added(environment: Variables, other: frozenset[int], ignored: Collection[str]) -> list[str]:
    return [name for name, value in environment.items() if name not in ignored and hash((name, value)) not in other]


def before_table(names: Iterable[str]) -> list[str]:
    """Those of the names, which are in the order of an environment, that bash put before its table of variables.

    A command line began with these. The last one may be missing, if its position would also fit the table.
    """
    inside = [name for name in names if _PLAIN.fullmatch(name) and name not in SET_OUTSIDE_TABLE]
    for table in BASH_TABLES:
        start, following = len(inside), table.buckets
        while start and (bucket := table.bucket(inside[start - 1])) <= following:
            start, following = start - 1, bucket
        if len(inside) - start >= ORDERED_MINIMUM:
            return inside[:start]
    return []


def _hashes(environment: Variables, ignored: Collection[str]) -> frozenset[int]:
    return frozenset(hash(item) for item in environment.items() if item[0] not in ignored)


def hint(names: Sequence[str], environment: Variables, command: Sequence[str]) -> str:
    """The hint that says how to set the variables on the target. `command` is empty if it is not to be spelled out."""
    are = "is" if len(names) == 1 else "are"
    pairs = [(name, environment[name]) for name in names]
    shown = [f"{name}={value}" if _SHOWN_VALUE.fullmatch(value) else f"{name}=..." for name, value in pairs]
    line = shlex.join(["rdo", *(word for each in shown for word in ("-e", each))])
    words = shlex.join(command)
    line += f" {words}" if words and len(words) <= _SHOWN_COMMAND else " ..."
    what = " and ".join(f"`{name}`" for name in names)
    return (
        f"{what} {are} set here and not on the target; to set {'it' if len(names) == 1 else 'them'} there use: {line}"
    )
