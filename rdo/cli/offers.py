"""Completes the last word of a command line of `rdoctl`, for the scripts of `rdoctl completion`."""

from __future__ import annotations

from rdo.cli.command_table import COMMANDS, load
from rdo.cli.declaration import Command

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from collections.abc import Iterator


def show(words: list[str]) -> int:
    """Print a line for each word that may replace the last one: the word, a tab and its help."""
    *before, last = words or [""]
    if before or last.startswith("-"):
        offers = _of_command(before, last)
    else:
        offers = ((name, entry.summary) for name, entry in COMMANDS.items() if name.startswith(last))
    for word, help in offers:
        print(f"{word}\t{help}")
    return 0


def _of_command(before: list[str], last: str) -> Iterator[tuple[str, str]]:
    declared = load(before[0]) if before and before[0] in COMMANDS else None
    if isinstance(declared, Command):
        yield from declared.offers(before[1:], last)
        return
    from click.shell_completion import ShellComplete

    from rdo.cli.command_group import rdoctl

    for item in ShellComplete(rdoctl, {}, "rdoctl", "").get_completions(before, last):
        yield item.value, item.help or ""
