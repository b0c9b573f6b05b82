"""Words for completion that depend on what is running. Queries the running masters, and starts none."""

from __future__ import annotations

import os

from rdo.errors import RdoError, printable

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from click import Context, Parameter
    from click.shell_completion import CompletionItem

    from rdo.cli.masters import MasterInfo


def targets() -> list[tuple[str, str]]:
    """The names of targets, each with the commands that run there as its help."""
    found = [each for master in _masters() for each in master.targets]
    return [(each.name, printable(", ".join(each.running[:1]))) for each in found if each.name == printable(each.name)]


def ports() -> list[tuple[str, str]]:
    """The ports of this machine that `rdoctl open` takes, each with what it leads to."""
    from rdo.cli.open import forwarded

    return [(str(port.local), printable(port.remote)) for port in forwarded(_masters())]


def profiles() -> list[tuple[str, str]]:
    """The profiles of the nearest config file."""
    from rdo.cli.completion import known_profiles

    return [(name, "") for name in known_profiles()]


def complete_target(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
    """The targets, for click."""
    return _items(targets(), begun)


def complete_port(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
    """The ports, for click."""
    return _items(ports(), begun)


def complete_profile(context: Context, parameter: Parameter, begun: str) -> list[CompletionItem]:
    """The profiles, for click."""
    return _items(profiles(), begun)


def _items(words: list[tuple[str, str]], begun: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    return [CompletionItem(word, help=help) for word, help in dict(words).items() if word.startswith(begun)]


def _masters() -> list[MasterInfo]:
    from rdo.cli import masters  # not needed for profiles, which are completed without a master
    from rdo.ipc import address

    try:
        return masters.found(address.runtime_directory(os.environ))
    except (OSError, RdoError):
        return []
