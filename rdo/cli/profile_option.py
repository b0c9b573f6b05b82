"""The option --profile of the commands that are declared with click."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rdo.cli import known_words

F = TypeVar("F", bound=Callable[..., Any])


def profile_option(help: str, default: str | None = "") -> Callable[[F], F]:
    """A decorator that adds the option, with completion of profile names."""
    complete = known_words.complete_profile
    return click.option("--profile", "-p", metavar="NAME", default=default, help=help, shell_complete=complete)
