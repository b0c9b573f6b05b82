"""`rdoctl sync`: shows how the files on both sides differ, copies them, and settles which side is right."""

from __future__ import annotations

import os
import sys

import click
from click.shell_completion import CompletionItem

from rdo import __main__ as program
from rdo import project
from rdo.cli.command_group import CommandGroup
from rdo.cli.profile_option import profile_option
from rdo.client.argv import Options
from rdo.errors import RdoError, printable

of_profile = profile_option("Use this profile.")


@click.group("sync", cls=CommandGroup)
def command() -> None:
    """Compare and copy the files of a project whose .rdo.conf sets `sync`.

    Before each command, local changes are copied to the target; after it, what the key `pull` names is copied back.
    These commands do the same by hand, and resolve conflicts, which rdo leaves to you.
    """


@command.command("status")
@of_profile
def status(profile: str) -> None:
    """Show which files are copied where, and whether both sides are the same."""
    _run(profile, "status")


@command.command("diff")
@of_profile
def diff(profile: str) -> None:
    """List the files that are not the same on both sides.

    A file is `outdated there` if it changed here, `missing there`, `changed there` if something other than rdo changed
    it, or `not ours there` if it existed there before rdo copied anything.
    """
    _run(profile, "diff")


@command.command("push")
@of_profile
def push(profile: str) -> None:
    """Copy what changed here, or was deleted there, to the target."""
    _run(profile, "push")


@command.command("pull")
@of_profile
def pull(profile: str) -> None:
    """Copy what the key `pull` names from the target."""
    _run(profile, "pull")


class SyncPath(click.Path):
    """A file or directory of the project, which need not exist."""

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """See click."""
        directory, start = os.path.split(incomplete)
        try:
            names = sorted(name for name in os.listdir(directory or ".") if name.startswith(start))
        except OSError:
            return []
        return [CompletionItem(os.path.join(directory, name)) for name in names]


@command.command("take")
@of_profile
@click.argument("side", type=click.Choice(["here", "there"]))
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=SyncPath())
def take(profile: str, side: str, paths: tuple[str, ...]) -> None:
    """Use the version of these files and directories from here, or from there, on both sides.

    The other version is lost, so look at `rdoctl sync diff` first.
    """
    top = os.path.realpath(os.path.dirname(project.discover(os.environ).config))
    _run(profile, "take", side, *(_below(top, path, is_all=side == "here") for path in paths))


def _below(top: str, path: str, *, is_all: bool) -> str:
    """The path relative to the project. It may be the project itself if `is_all`. Raises RdoError."""
    directory, name = os.path.split(os.path.abspath(path))
    found = os.path.join(os.path.realpath(directory), name)
    relative = os.path.relpath(found, top)
    if (relative == "." and not is_all) or relative.split("/")[0] == "..":
        raise RdoError(
            f"`{printable(path)}` is not a file of the project",
            f"that is in `{printable(top)}`",
            "name a path below it",
        )
    return relative


def _run(profile: str, *words: str) -> None:
    """Have the control master do the work."""
    options = Options()
    options.profile, options.command = profile, list(words)
    options.sync_only, options.stdin, options.tty = True, False, False
    if exit_status := program.execute(options):
        sys.exit(exit_status)
