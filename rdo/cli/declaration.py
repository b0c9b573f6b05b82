"""Commands of `rdoctl` declared without click, which takes longer to load than they take to run. Pure.

A command that is declared reads a plain command line itself. All other lines, faults and help are left to click, for
which command_group.py builds the same command.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple


class LeftToClick(Exception):
    """Raised by a command before it has done anything: click is to complain with this message, or to show the help."""


class Option(NamedTuple):
    """A flag or, with a metavar, an option with a value."""

    name: str
    spellings: tuple[str, ...]
    help: str
    metavar: str = ""


class Choice(NamedTuple):
    """An argument that is one of these words, and may be left out."""

    name: str
    words: tuple[str, ...]


class Command(NamedTuple):
    """A command: `run` is called with the value of each parameter by its name, and its docstring is the help."""

    name: str
    run: Callable[..., None]
    parameters: tuple[Option | Choice, ...] = ()
    rest: str = ""
    """The name of the only parameter, which gets all words as they are."""
    metavar: str = ""
    """What the help shows for these words."""

    def read(self, words: Sequence[str]) -> dict[str, object] | None:
        """The values in a plain command line; None where it takes more than that to read it."""
        if self.rest:
            return {self.rest: tuple(words)}
        values: dict[str, object] = {}
        left = iter(words)
        for word in left:
            found = next((each for each in self.parameters if word in each[1]), None)
            if found is None or found.name in values:
                return None
            values[found.name] = word if isinstance(found, Choice) else True
            if isinstance(found, Option) and found.metavar:
                value = next(left, "-")
                if value.startswith("-"):
                    return None
                values[found.name] = value
        for each in self.parameters:
            values.setdefault(each.name, False if isinstance(each, Option) and not each.metavar else None)
        return values
