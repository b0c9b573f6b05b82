"""What goes into a new .rdo.conf, as one of a project's files suggests it; and its text: the keys that are known, each
with its meaning, and the others as comments. Pure."""

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
"""Keys that say something only beside `build`."""

ASSIGNMENT_LIMIT = 40
"""Characters of an assignment that has its remark on a line of its own."""

COMMENT_LIMIT = 117
"""Characters of a line of comment."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


class LeftOut(NamedTuple):
    """Something that a file says and that no key of rdo stands for: its name, and what to do about it."""

    name: str
    advice: str = ""


@dataclass(frozen=True)
class Suggestion:
    """A target that the project speaks of: `because` names the file, `values` are config keys.

    `choices` are the values that a key may have where the file names several. `first` is what to type before the first
    command, and `once` what the file has run once in a new container.
    """

    driver: str
    because: str
    values: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    first: str = ""
    once: Sequence[str] = ()
    left_out: Sequence[LeftOut] = ()
    is_whole: bool = False
    """Whether the driver finds all the rest by itself."""
    remarks: Mapping[str, str] = field(default_factory=dict)
    """What the file says of the values of some keys, beside what they mean."""
    published: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What to forward of each service, since its published ports are not on this machine."""


def render(
    values: Mapping[str, Any],
    because: str = "",
    left_out: Sequence[LeftOut] = (),
    remarks: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The file with these values of config keys; `driver` is among them. `left_out` is what `because` says besides."""
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
    """What the key means, and what others have written of its value: nothing in that may end the comment."""
    text = f"{KEYS[name].help}: {printable(remarks[name])}" if remarks.get(name) else KEYS[name].help
    return _cut(text)


def _cut(text: str) -> str:
    """The text of a comment, on one line."""
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
    """What holds without the key, where that is something to say."""
    value = getattr(Settings(), key.name)
    return "" if value is None or not isinstance(value, bool | str) or value == "" else f"; default {literal(value)}"


def _is_offered(key: ConfigKey, values: Mapping[str, Any], driver: str) -> bool:
    """Whether the key could be set as well: of the keys that say what to run in, only one can."""
    if key.personal or not key.help or (key.drivers and driver not in key.drivers):
        return False
    if key.name in BUILDS and "build" not in values:
        return False
    return key.name not in CONTAINERS


def _block(lines: Iterable[tuple[str, str]]) -> str:
    """Assignments with their remarks, aligned; the remark of a long one, and a long remark, stands above it."""
    room = COMMENT_LIMIT - ASSIGNMENT_LIMIT
    pairs = [(*pair, len(pair[0]) <= ASSIGNMENT_LIMIT and len(pair[1]) <= room) for pair in lines]
    width = max((len(assignment) for assignment, _, is_short in pairs if is_short), default=0)
    return "".join(
        f"{assignment.ljust(width)}  # {remark}\n" if is_short else f"# {remark}\n{assignment}\n"
        for assignment, remark, is_short in pairs
    )


def _remarks(because: str, left_out: Sequence[LeftOut]) -> str:
    """What the file says that no key stands for: it was written by others, and nothing in it may end the comment."""
    lines = [f"{name}: {advice}" if advice else name for name, advice in left_out]
    return "".join(
        f"#{'  ' if line in lines else ' '}{_cut(printable(line))}\n" for line in [f"Not taken from {because}:", *lines]
    )
