"""`rdoctl shim`: manages local executables that run a tool on the target, for editors. See rdo.shims.script."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from itertools import islice

import click
from click.shell_completion import CompletionItem

from rdo import project
from rdo.cli import allow, table
from rdo.cli.command_group import CommandGroup
from rdo.cli.profile_option import profile_option
from rdo.errors import RdoError, SetupError, printable
from rdo.fscodec import fsencode
from rdo.run_here import is_program, is_shim
from rdo.shims import directory as shim_directory
from rdo.shims import script
from rdo.shims.directory import ShimPath

DIRECTORIES = (".rdo", ".rdo/bin")
"""Directories in the project's directory; the last one holds the shims."""

FILE_COUNT_LIMIT = 1000
"""The most files that are examined in a directory that a repository may have filled."""

IGNORE = ".gitignore"
IGNORED = "*\n"
"""Ignores the shims and this file itself: the paths in shims are those of one machine."""


class ProjectShims:
    """The shims of a project. `root` is the directory of its `.rdo.conf`."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.path = os.path.join(root, DIRECTORIES[-1])

    def file(self, name: str) -> str:
        """The path of the shim of that name, whether or not it exists."""
        return os.path.join(self.path, name)

    def has(self, name: str) -> bool:
        """Whether there is a shim of that name. Raises RdoError if there is something else in its place."""
        path = self.file(name)
        if not os.path.lexists(path):
            return False
        if os.path.islink(path) or not is_shim(path):
            raise RdoError(f"`{path}` is not a shim", "rdo does not replace it", "move it out of the way")
        return True

    def names(self) -> list[str]:
        """The tools that have a shim."""
        return [name for name in self._files() if not os.path.islink(self.file(name)) and is_shim(self.file(name))]

    def strangers(self, own: ShimPath) -> list[str]:
        """The files that are not byte for byte what `rdoctl shim add` wrote."""
        return [name for name in self._files() if name != IGNORE and not own.has(name, self.file(name))]

    def _files(self) -> list[str]:
        with contextlib.suppress(OSError), os.scandir(self.path) as entries:
            return sorted(entry.name for entry in islice(entries, FILE_COUNT_LIMIT))
        return []

    def add(self, name: str, text: str) -> None:
        """Write a shim, replacing an existing one. Raises RdoError, OSError."""
        if self.has(name):
            os.unlink(self.file(name))
        self._write(name, text, 0o755)

    def make(self) -> None:
        """Create the directory, hidden from git. Raises RdoError if a link leads somewhere else."""
        for path in (os.path.join(self.root, directory) for directory in DIRECTORIES):
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o755)
            if not stat.S_ISDIR(os.lstat(path).st_mode):
                raise RdoError(f"`{path}` is not a directory", "", "move it out of the way first")
        with contextlib.suppress(FileExistsError):
            self._write(IGNORE, IGNORED, 0o644)

    def tidy(self) -> None:
        """Remove the directory once nothing is left in it but what `make` created."""
        if os.listdir(self.path) == [IGNORE]:
            os.unlink(self.file(IGNORE))
        for directory in reversed(DIRECTORIES):
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(self.root, directory))

    def _write(self, name: str, text: str, mode: int) -> None:
        fd = os.open(self.file(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with open(fd, "wb") as stream:
            stream.write(fsencode(text))


@click.group("shim", cls=CommandGroup)
def command() -> None:
    """Manage shims: local executables that run a tool on the target.

    Configure your editor or IDE to run .rdo/bin/pytest as its pytest. A shim works from any directory and needs no
    PATH. To put shims into PATH while you work in a project, in sh, bash, zsh or fish: eval "$(rdoctl shim env)"

    If RDO_INSIDE names the project, a shim runs the next program of its name in PATH instead. That is the case on a
    target that also has the shims, and in programs that rdo itself runs locally.
    """


@command.command("add")
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@profile_option("Run the tools with this profile.")
def add(names: Sequence[str], profile: str) -> None:
    """Write .rdo/bin/NAME for each tool.

    Existing shims are written again, for example after the project was moved, or to change their profile.
    """
    directory = here()
    if profile:
        allow.load(profile)  # raises ConfigError if there is no such profile
    create(directory, names, profile)
    for name in names:
        click.echo(f"wrote {printable(directory.file(name))}")


def create(directory: ProjectShims, names: Sequence[str], profile: str = "") -> None:
    """Write shims. Raises RdoError, before any is written, if a name is not possible or is taken by another file."""
    for name in names:
        if why := script.refusal(name):
            raise RdoError(f"cannot create a shim `{name}`", why, "name a tool as it is typed, such as `pytest`")
    rdo = program()
    directory.make()
    for name in names:
        directory.has(name)
    own = ShimPath(directory.root, os.environ)
    own.make()
    for name in names:
        text = script.render(name, directory.root, profile, rdo)
        directory.add(name, text)
        own.add(name, text)


@command.command("list")
def list_() -> None:
    """List the shims of this project."""
    directory = here()
    names = directory.names()
    strangers = directory.strangers(ShimPath(directory.root, os.environ))
    click.echo("\n".join(table.render([(name, directory.file(name)) for name in names]) if names else ["no shims"]))
    warn(directory, strangers)


def warn(directory: ProjectShims, strangers: Sequence[str]) -> None:
    """Warn about files that rdo did not write, and that are therefore left out of PATH."""
    for name in strangers:
        what = f"`{directory.file(name)}` was not written by `rdoctl shim add`"
        hint = f"if you trust this project, `rdoctl shim add {name}`" if name in directory.names() else "remove it"
        click.echo(f"rdoctl: {RdoError(what, 'it is left out of PATH', hint)}", err=True)


def offered(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names that a shell completes after `remove`."""
    with contextlib.suppress(RdoError, OSError):
        return [CompletionItem(name) for name in here().names() if name.startswith(incomplete)]
    return []


@command.command("remove")
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=offered)
def remove(names: Sequence[str]) -> None:
    """Remove shims."""
    directory = here()
    for name in names:
        if script.refusal(name) or not directory.has(name):
            raise RdoError(f"there is no shim `{name}`", "", "see `rdoctl shim list`")
    for name in dict.fromkeys(names):
        os.unlink(directory.file(name))
        ShimPath(directory.root, os.environ).remove(name)
        click.echo(f"removed {printable(directory.file(name))}")
    directory.tidy()


@command.command("env")
@click.option("--off", is_flag=True, help="Remove shims from PATH.")
def env(off: bool) -> None:
    """Print a shell command that puts this project's shims first in PATH.

    \b
    eval "$(rdoctl shim env)"          in sh, bash, zsh and fish
    eval "$(rdoctl shim env --off)"    to remove them again

    In another project, it replaces the shims of the previous one. With direnv, write the first line into .envrc. The
    directory put into PATH is not .rdo/bin, where a repository could place other programs, but one of your own that
    contains only what `rdoctl shim add` wrote.
    """
    kept = script.without_shims(os.environ.get("PATH", os.defpath), shim_directory.base(os.environ))
    if not off:
        found = here()
        own = ShimPath(found.root, os.environ)
        if ":" in own.path:
            raise RdoError(f"`{own.path}` cannot be in PATH", "it contains a colon", "set XDG_STATE_HOME")
        own.make()
        warn(found, found.strangers(own))
        kept.insert(0, own.path)
    click.echo(fsencode(script.assignment(":".join(kept))))


def here() -> ProjectShims:
    """The shims of the nearest project. Raises ConfigError if there is none."""
    return ProjectShims(project.discover(os.environ).root)


def program() -> str:
    """The path of `rdo` beside the path by which this program was started, which survives a reinstallation by pipx."""
    for directory in (os.path.dirname(os.path.abspath(sys.argv[0])), os.path.dirname(sys.executable)):
        if is_program(os.path.join(directory, "rdo")):
            return os.path.join(directory, "rdo")
    if found := shutil.which("rdo"):
        return os.path.abspath(found)
    raise SetupError("cannot find the program `rdo`", "it is neither beside `rdoctl` nor in PATH", "reinstall rdo")
