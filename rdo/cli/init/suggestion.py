"""What `rdoctl init` may write, as one of a project's files says it. Knows no file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple


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
