"""The text of the ssh configuration: the user's, the system's and the files that these include. ssh interprets it."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from rdo.errors import ConnectError
from rdo.util import foreign_file
from rdo.util.lines import split_lines

SYSTEM = "/etc/ssh/ssh_config"
"""Applies after the user's own file, unless another file was named."""

CONFIG_LIMIT = 1024 * 1024
"""Bytes of an ssh configuration."""

INCLUDE_DEPTH_LIMIT = 16
"""Depth of nested includes, as with ssh(1)."""

EVERYWHERE = "Host *"
"""The start of a block that applies to every host."""

OPTION = re.compile(r"[ \t]*([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*?)[ \t\r]*")

EXEC = re.compile(r"\bexec\b", re.IGNORECASE)
VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")


def files(given: str | None) -> list[tuple[str, str]]:
    """The config files, and the directory that relative names are relative to: the user's own and the system's, or the
    given one."""
    own = os.path.join(_home(), ".ssh")
    if given:
        return [(given, own)]
    return [(os.path.join(own, "config"), own), (SYSTEM, os.path.dirname(SYSTEM))]


def _home() -> str:
    return pwd.getpwuid(os.getuid()).pw_dir  # regardless of HOME, as with ssh(1)


def expanded(path: str, base: str, within: str = EVERYWHERE, depth: int = 0) -> Iterator[str]:
    """The lines, including those of included files. `base` is the directory of relative names, `within` the line that
    starts the block.

    Raises OSError for a file that cannot be read, ConnectError for an Include that only ssh can follow.
    """
    if depth > INCLUDE_DEPTH_LIMIT:
        raise ConnectError(f"the ssh configuration `{path}` is not usable", "files include each other in a loop")
    block = within
    for line in split_lines(foreign_file.read_text(path, CONFIG_LIMIT)):
        option = OPTION.fullmatch(line)
        key = option[1].lower() if option else ""
        if option and key == "include":
            for file in _files(_patterns(option[2], base, path)):
                yield from expanded(file, base, block, depth + 1)
                yield block
            continue
        if key in ("host", "match"):
            _check_nesting(path, within, depth)
            block = line
        yield line


def _check_nesting(path: str, within: str, depth: int) -> None:
    """Raise an error for a block in a file that is included within a block for some hosts, to which it would be
    limited."""
    if depth and " ".join(within.lower().split()) not in ("host *", "match all"):
        why = f"it has Host or Match blocks, and is included within `{within.strip()}`"
        raise ConnectError(f"the ssh configuration `{path}` is not usable", why, "install an OpenSSH client, which can")


def _patterns(value: str, base: str, path: str) -> list[str]:
    """The patterns of an Include, absolute. Raises ConnectError."""
    try:
        patterns = shlex.split(value)
    except ValueError as error:
        raise ConnectError(f"the ssh configuration `{path}` is not usable", f"Include {value}: {error}") from error
    return [os.path.join(base, _home() + each[1:] if each.startswith("~/") else each) for each in patterns]


def _files(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        yield from sorted(glob.glob(pattern))


class SshConfigText(NamedTuple):
    """The whole text, for any host."""

    variables: frozenset[str]
    """The names of variables that may influence the configuration: `${NAME}` in a value, and `$NAME` in a command. A
    command of `Match exec` runs in the directory PWD; other variables that it reads cannot be known."""
    texts: Mapping[str, str]
    """The text of each file, by its path."""
    places: frozenset[str]
    """The paths of all files, and of the directories in which an Include looks for more."""


def examine(given: str | None) -> SshConfigText:
    """`given`: see `files`. An unreadable file counts as empty, since ssh reports it."""
    found, texts, places = set[str](), dict[str, str](), set[str]()
    todo = files(given)
    while todo:
        path, base = todo.pop()
        if path in texts:
            continue
        texts[path] = ""
        places.add(path)
        with contextlib.suppress(OSError, ConnectError):
            texts[path] = foreign_file.read_text(path, CONFIG_LIMIT)
            found.update(VARIABLE.findall(texts[path]))
            for option in filter(None, map(OPTION.fullmatch, split_lines(texts[path]))):
                key = option[1].lower()
                if key == "include":
                    patterns = _patterns(option[2], base, path)
                    places.update(map(os.path.dirname, patterns))
                    todo += [(file, base) for file in _files(patterns)]
                elif key == "match" and EXEC.search(option[2]):
                    found.add("PWD")
    return SshConfigText(frozenset(found), texts, frozenset(places))
