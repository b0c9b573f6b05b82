"""`rdoctl forward`: adds ports to those that are forwarded from a connected target, and removes some."""

from __future__ import annotations

import os
from collections.abc import Sequence

import click

from rdo.cli import known_words, masters, target_choice
from rdo.cli.command_group import CommandGroup
from rdo.cli.masters import MasterInfo, TargetInfo
from rdo.cli.profile_option import profile_option
from rdo.errors import RdoError, UsageError, printable
from rdo.ipc import address
from rdo.util.phrases import listed

of_profile = profile_option("Choose the target of this profile.", default=None)
target_option = click.option(
    "--target",
    metavar="TARGET",
    help="Choose the target of this name, as `rdoctl status` shows it.",
    shell_complete=known_words.complete_target,
)
specs_argument = click.argument("specs", metavar="SPEC...", nargs=-1, required=True)


@click.group("forward", cls=CommandGroup)
def command() -> None:
    """Add and remove forwarded ports of a connected target.

    SPEC is what the option -L of rdo takes: 3000, 9000:8000, 8080:db:80 or unix:/run/docker.sock. To have a port
    forwarded whenever the target is connected, use the key `forward` of .rdo.conf. `rdoctl ports` shows what is
    forwarded.
    """


@command.command("add")
@of_profile
@target_option
@specs_argument
def add(profile: str | None, target: str | None, specs: Sequence[str]) -> None:
    """Forward ports for as long as the target is connected."""
    _change(profile, target, add=specs)


@command.command("remove")
@of_profile
@target_option
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True, shell_complete=known_words.complete_port)
def remove(profile: str | None, target: str | None, specs: Sequence[str]) -> None:
    """Remove forwarded ports, whatever requested them.

    SPEC can also be just the port of this machine. Open connections continue. The next connection to the target
    forwards the ports of the key `forward` again.
    """
    _change(profile, target, remove=specs)


def _change(profile: str | None, target: str | None, **changes: Sequence[str]) -> None:
    if profile is not None and target is not None:
        raise UsageError("`--profile` and `--target` cannot be used together", "", "use one of them")
    master, meant = _meant(profile, target)
    answer = masters.ask(master, "forward", {"target": meant.number, **changes})
    print("\n".join(map(printable, answer["lines"])))


def _meant(profile: str | None, target: str | None) -> tuple[MasterInfo, TargetInfo]:
    """The one target that is meant. Raises RdoError if there is none, or several."""
    found = masters.found(address.runtime_directory(os.environ))
    is_chosen = target_choice.of(found, target, profile)
    matching = [(master, each) for master in found for each in master.targets if is_chosen(each) and not each.ending]
    if not matching:
        what = f"the profile `{printable(profile)}`" if profile else "this project"
        raise RdoError(f"{what} has no connection", "", "run a command first, such as `rdo true`, or use `rdo -L`")
    names = list(dict.fromkeys(each.name for _, each in matching))
    if len(names) > 1:
        raise RdoError("several targets match", listed(names), "choose one with `--target`")
    return min(matching, key=lambda pair: pair[1].number)  # the same target, for callers with other agents
