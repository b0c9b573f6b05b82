"""`rdoctl ide`: sets up editors for the shims of a project. Each editor has a module; files are handled here."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import ModuleType

import click

from rdo import project as discovery
from rdo.cli import shim
from rdo.cli.command_group import CommandGroup
from rdo.cli.ide import emacs, toolset, vim, vscode
from rdo.cli.ide import jetbrains as ide_jetbrains
from rdo.cli.ide.draft import SHIMS, Draft, Project
from rdo.cli.ide.toolset import Tool
from rdo.cli.init import survey
from rdo.errors import RdoError, SetupError, printable, reason
from rdo.shims.directory import ShimPath
from rdo.util import atomic_write, foreign_file

JETBRAINS = {"darwin": "~/Library/Application Support/JetBrains", "": "~/.config/JetBrains"}
"""Where the IDEs keep their configuration, by platform: a directory for each product and version."""

SIZE_LIMIT = 1024 * 1024
"""Bytes of an editor's file that are read and added to."""

HELP = {
    "vscode": "VS Code: .vscode/tasks.json with problem matchers, and settings.json.",
    "jetbrains": "JetBrains IDEs: a run configuration for each tool, and External Tools.",
    "emacs": "Emacs: .dir-locals-2.el with compile-command and executables.",
    "vim": "Vim and Neovim: .exrc with makeprg, errorformat, and a command for each tool.",
}


@click.group("ide", cls=CommandGroup)
def command() -> None:
    """Set up an editor to run a project's tools on the target.

    The editor starts shims (see `rdoctl shim`), which are created as needed, and shows their messages with local
    paths. Without TOOL, the tools are those that the project's files mention. Existing files are extended: what they
    contain is kept, including comments.
    """


def options(function: Callable[..., None]) -> Callable[..., None]:
    """The options of every editor."""
    for option in (
        click.option("--force", is_flag=True, help="Replace existing values that differ."),
        click.option("--print", "only_print", is_flag=True, help="Print the files instead of writing them."),
        click.argument("names", metavar="[TOOL]...", nargs=-1),
    ):
        function = option(function)
    return function


def editor(name: str, module: ModuleType) -> None:
    """Add the command of an editor that needs files of the project only."""

    @command.command(name, help=HELP[name], short_help=HELP[name])
    @options
    def run(names: Sequence[str], only_print: bool, force: bool) -> None:
        project, tools = asked(names, force)
        finish(project, tools, module.drafts(tools, project), module.notes(tools), only_print)


for _name, _module in (("vscode", vscode), ("emacs", emacs), ("vim", vim)):
    editor(_name, _module)


@command.command("jetbrains", help=HELP["jetbrains"], short_help=HELP["jetbrains"])
@options
@click.option("--tools", "external", is_flag=True, help="Add External Tools to your installed IDEs; close them first.")
def jetbrains(names: Sequence[str], only_print: bool, force: bool, external: bool) -> None:
    """Run configurations go into the project, External Tools into the IDEs."""
    project, tools = asked(names, force)
    if external:
        drafts = ide_jetbrains.tool_drafts(tools, project, jetbrains_directories())
        finish(project, tools, drafts, ["restart the IDE; the tools are in its Tools menu"], only_print)
    else:
        finish(project, tools, ide_jetbrains.drafts(tools, project), ide_jetbrains.notes(tools), only_print)


def asked(names: Sequence[str], force: bool) -> tuple[Project, list[Tool]]:
    """The project of the working directory, and the tools that were named, or that it uses. Raises RdoError."""
    root = discovery.discover(os.environ).root
    found = names or toolset.used(partial(survey.read, root)) or shim.ProjectShims(root).names()
    if not found:
        why = f"`{root}` has no file that mentions one, and no shims"
        raise SetupError("no tools were found", why, "name them, as in `rdoctl ide vim make`")

    return Project(root, lambda path: read(os.path.join(root, path)), force), toolset.named(found)


def jetbrains_directories() -> list[str]:
    """The configuration directories of this user's IDEs. Raises SetupError where there are none."""
    base = os.path.expanduser(JETBRAINS.get(sys.platform, JETBRAINS[""]))
    names = sorted(os.listdir(base)) if os.path.isdir(base) else []
    found = [os.path.join(base, name) for name in names if os.path.isdir(os.path.join(base, name, "options"))]
    if not found:
        raise SetupError("no JetBrains IDE was found", f"`{base}` has no configuration", "start the IDE once")
    return found


def finish(
    project: Project, tools: Sequence[Tool], drafts: Iterable[Draft], notes: Sequence[str], only_print: bool
) -> None:
    """Show or write the files and the shims, and say what is left to do. All are made before one is written."""
    made = list(drafts)
    shims = shim.ProjectShims(project.root)
    own = ShimPath(project.root, os.environ)
    names = toolset.executables(tools)
    missing = [name for name in names if not shims.has(name) or not own.has(name, shims.file(name))]
    for draft in made:
        if only_print:
            click.echo(f"==> {printable(draft.path)} <==\n{draft.text}", nl=not draft.text.endswith("\n"))
        else:
            changed = save(project.root, draft.path, draft.text)
            click.echo(f"{'wrote' if changed else 'unchanged:'} {printable(draft.path)}")
    if missing and not only_print:
        shim.create(shims, missing)
        click.echo(f"wrote {SHIMS}: {', '.join(missing)}")
    for kept in (kept for draft in made for kept in draft.kept):
        remark(f"left alone: {kept}; `--force` replaces it")
    for note in notes:
        remark(note)


def remark(line: str) -> None:
    """Print a note to stderr, beside the output."""
    click.echo(f"rdoctl: {printable(line)}", err=True)


def read(path: str) -> str | None:
    """The text of a file with its own line ends; None if there is no such file. Raises RdoError."""
    try:
        return foreign_file.read(path, SIZE_LIMIT).decode()
    except FileNotFoundError:
        return None
    except ValueError:
        raise RdoError(f"cannot read `{path}`", "it is not UTF-8", "move it out of the way") from None
    except foreign_file.UnsuitableFile as error:
        raise RdoError(f"cannot read `{path}`", reason(error), "move it out of the way") from None


def save(root: str, path: str, text: str) -> bool:
    """Make it the text of the file, whole or not at all; False where it is already. Raises RdoError.

    A path below the project's directory may lead through links, but not out of it: a repository can hold links.
    """
    place = os.path.realpath(os.path.join(root, path))
    if not os.path.isabs(path) and not place.startswith(os.path.realpath(root) + os.sep):
        raise RdoError(f"`{path}` leads out of the project", f"it is a link to `{place}`", "remove the link")
    if read(place) == text:
        return False
    _make_directory(os.path.dirname(place))
    atomic_write.write(place, text, mode(place))
    return True


def _make_directory(path: str) -> None:
    """With the permissions of a project's directories, whatever the umask is."""
    if not os.path.isdir(path):
        _make_directory(os.path.dirname(path))
        os.mkdir(path, 0o755)


def mode(path: str) -> int:
    """The permissions of the file, or those of a new one."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        umask = os.umask(0o077)
        os.umask(umask)
        return 0o644 & ~umask
