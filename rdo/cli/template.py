"""The text of a new .rdo.conf: the keys that are known, each with its meaning, and the others as comments. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rdo.settings import CONTAINERS, KEYS, Key

HEAD = """\
# Where the commands of this folder run: `rdo make test` here runs `make test` there.
# `rdoctl explain` shows what counts, `rdoctl doctor` checks the way there.
"""

MORE = """\
# More keys, with example values. One's own, for this machine only, go into .rdo.local.conf beside this file.
"""

PROFILES = """\
# A table is one more profile, which starts from the keys above: rdo -p ci make test
#[ci]
#env = { CI = "1" }
"""


def render(values: Mapping[str, Any]) -> str:
    """The file with these values of config keys; `driver` is among them."""
    driver = values["driver"]
    others = (key for key in KEYS.values() if key.name not in values and _is_offered(key, driver))
    return "\n".join(
        [
            HEAD,
            _block((f"{name} = {literal(value)}", KEYS[name].help) for name, value in values.items()),
            MORE + _block((f"#{key.name} = {key.example}", key.help) for key in others),
            PROFILES,
        ]
    )


def literal(value: Any) -> str:
    """A string or number as TOML."""
    return json.dumps(value, ensure_ascii=False)


def _is_offered(key: Key, driver: str) -> bool:
    """Whether the key could be set as well: of the keys that say what to run in, only one can."""
    if key.personal or (key.drivers and driver not in key.drivers):
        return False
    return key.name not in CONTAINERS


def _block(lines: Iterable[tuple[str, str]]) -> str:
    """Assignments with their remarks, aligned."""
    pairs = list(lines)
    width = max(len(assignment) for assignment, _ in pairs)
    return "".join(f"{assignment.ljust(width)}  # {remark}\n" for assignment, remark in pairs)
