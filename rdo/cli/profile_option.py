"""The option by which commands that are left to click get a profile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from rdo.cli import known_words

F = TypeVar("F", bound=Callable[..., Any])


def profile_option(help: str, default: str | None = "") -> Callable[[F], F]:
    """Declares it; its names are completed."""
    complete = known_words.complete_profile
    return click.option("--profile", "-p", metavar="NAME", default=default, help=help, shell_complete=complete)
