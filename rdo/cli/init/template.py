"""What one of a project's files suggests for a new .rdo.conf, and the text of the new file. Pure.

The keys that are known are set, each with its meaning; the others are there as comments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

from rdo.config.schema import CONTAINERS, KEYS, ConfigKey, Settings
from rdo.errors import printable

HEAD = """\
# Where the commands of this directory run: `rdo make test` runs `make test` on the target.
# `rdoctl explain` shows which settings apply; `rdoctl doctor` checks the connection.
"""

MORE = """\
# More keys, each with an example value. Settings for this machine only go into .rdo.local.conf beside this file.
"""

PROFILES = """\
# Each table is another profile, which inherits the keys above: rdo -p ci make test
#[ci]
#env = { CI = "1" }
"""

BUILDS = ("dockerfile", "build_args", "build_target")
"""Keys that only have an effect together with `build`."""

ASSIGNMENT_LIMIT = 40
"""Characters in an assignment; a longer one has its remark on the line above."""

COMMENT_LIMIT = 117
"""Characters in a line of comment."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class LeftOut(NamedTuple):
    """A setting of a file that no key of rdo corresponds to: its name, and what to do about it."""

    name: str
    advice: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A target that a file of the project describes: `because` names the file, `values` are config keys.

    `choices` are the possible values of a key for which the file names several. `first` is what to type before the
    first command, and `once` are the commands that the file has run once in a new container.
    """

    driver: str
    because: str
    values: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: str = ""
    once: Sequence[str] = ()
    left_out: Sequence[LeftOut] = ()
    is_whole: bool = False
    """Whether the driver finds everything else by itself."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What the file says about the values of some keys; shown after the meaning of the key."""
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What to forward from each service, if its ports are not published on this machine."""


def render(
    values: Mapping[str, Any],
    because: str = "",
    left_out: Sequence[LeftOut] = (),
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The text of a file with these values, including `driver`. `left_out` is what else the file `because` contains."""
    driver = values["driver"]
    others = (key for key in KEYS.values() if key.name not in values and _is_offered(key, values, driver))
    return "\n".join(
        [
            HEAD,
            _block((f"{name} = {literal(value)}", _help(name, remarks)) for name, value in values.items()),
            *([_remarks(because, left_out)] if left_out else []),
            MORE + _block((f"#{key.name} = {key.example}", f"{key.help}{_default(key)}") for key in others),
            PROFILES,
        ]
    )


def _help(name: str, remarks: Mapping[str, str]) -> str:
    """What the key means, and the remark about its value. Others wrote that, so it must not end the comment."""
    text = f"{KEYS[name].help}: {printable(remarks[name])}" if remarks.get(name) else KEYS[name].help
    return _cut(text)


def _cut(text: str) -> str:
    """The text of a comment, cut to fit on one line."""
    return text if len(text) <= COMMENT_LIMIT else text[: COMMENT_LIMIT - 3] + "..."


def literal(value: Any) -> str:
    """A value as TOML, on one line."""
    if isinstance(value, Mapping):
        names = {name: name if _BARE.fullmatch(name) else literal(name) for name in value}
        pairs = (f"{names[name]} = {literal(each)}" for name, each in value.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _default(key: ConfigKey) -> str:
    """The key's default, if it is worth showing."""
    value = getattr(Settings(), key.name)
    return "" if value is None or not isinstance(value, bool | str) or value == "" else f"; default {literal(value)}"


def _is_offered(key: ConfigKey, values: Mapping[str, Any], driver: str) -> bool:
    """Whether the key could be set as well. Of the keys that say what to run in, only one can be set."""
    if key.personal or not key.help or (key.drivers and driver not in key.drivers):
        return False
    if key.name in BUILDS and "build" not in values:
        return False
    return key.name not in CONTAINERS


def _block(lines: Iterable[tuple[str, str]]) -> str:
    """Assignments with aligned remarks. If either is long, the remark is on the line above."""
    room = COMMENT_LIMIT - ASSIGNMENT_LIMIT
    pairs = [(*pair, len(pair[0]) <= ASSIGNMENT_LIMIT and len(pair[1]) <= room) for pair in lines]
    width = max((len(assignment) for assignment, _, is_short in pairs if is_short), default=0)
    return "".join(
        f"{assignment.ljust(width)}  # {remark}\n" if is_short else f"# {remark}\n{assignment}\n"
        for assignment, remark, is_short in pairs
    )


def _remarks(because: str, left_out: Sequence[LeftOut]) -> str:
    """Comments for what no key corresponds to. Others wrote that, so it must not end the comment."""
    lines = [f"{name}: {advice}" if advice else name for name, advice in left_out]
    return "".join(
        f"#{'  ' if line in lines else ' '}{_cut(printable(line))}\n" for line in [f"Not taken from {because}:", *lines]
    )
