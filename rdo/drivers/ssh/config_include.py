"""Include of ssh_config(5), where there is no ssh program: the lines of a configuration, and of the files it names."""

from __future__ import annotations

import glob
import os
import re
import shlex
from collections.abc import Iterator

from rdo.errors import ConnectError
from rdo.util import foreign_file
from rdo.util.lines import split_lines

CONFIG_LIMIT = 1024 * 1024
"""Bytes of an ssh configuration."""

INCLUDE_DEPTH_LIMIT = 16
"""Files that include each other in a row, as ssh(1) has it."""

EVERYWHERE = "Host *"
"""Begins what counts for each host."""

OPTION = re.compile(r"[ \t]*([A-Za-z0-9]+)(?:[ \t]*=[ \t]*|[ \t]+)(.*?)[ \t\r]*")


def expanded(path: str, home: str, base: str, within: str = EVERYWHERE, depth: int = 0) -> Iterator[str]:
    """The lines. `base` is where relative names count from, `within` the line that begins the block.

    Raises OSError for a file that cannot be read, ConnectError for an Include that only ssh can follow.
    """
    if depth > INCLUDE_DEPTH_LIMIT:
        raise ConnectError(f"the ssh configuration `{path}` is not usable", "files include each other in a loop")
    block = within
    for line in split_lines(foreign_file.read_text(path, CONFIG_LIMIT)):
        option = OPTION.fullmatch(line)
        key = option[1].lower() if option else ""
        if option and key == "include":
            for file in _files(option[2], home, base, path):
                yield from expanded(file, home, base, block, depth + 1)
                yield block
            continue
        if key in ("host", "match"):
            _check_nesting(path, within, depth)
            block = line
        yield line


def _check_nesting(path: str, within: str, depth: int) -> None:
    """A block in a file that is itself included by some hosts' blocks counts for those alone."""
    if depth and " ".join(within.lower().split()) not in ("host *", "match all"):
        why = f"it has Host or Match blocks, and is included within `{within.strip()}`"
        raise ConnectError(f"the ssh configuration `{path}` is not usable", why, "install an OpenSSH client, which can")


def _files(value: str, home: str, base: str, path: str) -> Iterator[str]:
    try:
        patterns = shlex.split(value)
    except ValueError as error:
        raise ConnectError(f"the ssh configuration `{path}` is not usable", f"Include {value}: {error}") from error
    for pattern in patterns:
        if pattern.startswith("~/"):
            pattern = home + pattern[1:]
        yield from sorted(glob.glob(os.path.join(base, pattern)))
