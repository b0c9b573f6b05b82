"""`rdoctl` and its groups for click, with a suggestion of the most similar command for an unknown one."""

from __future__ import annotations

import importlib
from typing import Any

import click

from rdo import __version__
from rdo.cli import usage
from rdo.cli.command_table import COMMANDS
from rdo.cli.declaration import HELP_WORDS, Choice, Command, LeftToClick, Option
from rdo.errors import USAGE, UsageError
from rdo.util.phrases import nearest

EXAMPLES = """\
\b
Examples:
  rdoctl init                     write a .rdo.conf for this directory
  rdoctl doctor                   check each step on the way to the target
  rdoctl explain make test        show what `rdo make test` would do
  rdoctl status                   show the open connections
  rdoctl allow                    allow what the .rdo.conf here asks for
  rdoctl shim add pytest          create a pytest that runs on the target
  rdoctl ide vscode               have VS Code run the tools on the target
  rdoctl stop --all               close all connections, after their commands
  eval "$(rdoctl completion bash)"
"""


SUMMARY_LIMIT = 1000
"""Characters: longer than any summary."""


class CommandGroup(click.Group):
    """See click.Group."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click. Its releases differ in where they print the help without a command, and in the exit status."""
        if not args and not ctx.resilient_parsing:
            click.echo(ctx.get_help(), err=True)
            ctx.exit(USAGE)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """See click, whose error does not name the command of an option that lacks its value."""
        try:
            return super().invoke(ctx)
        except click.BadOptionUsage as complaint:
            name = ctx.invoked_subcommand or ""
            command = self.get_command(ctx, name)
            if complaint.ctx is None and command:
                complaint.ctx = click.Context(command, parent=ctx, info_name=name)
            raise

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """See click. Raises UsageError."""
        name = args[0]
        if not (name.startswith("-") or ctx.resilient_parsing) and self.get_command(ctx, name) is None:
            hint = nearest(name, self.list_commands(ctx)) or f"see `{ctx.command_path} --help`"
            raise UsageError(f"there is no command `{name}`", "", hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """See click, which truncates summaries instead of wrapping them."""
        with formatter.section("Commands"):
            formatter.write_dl(self.summaries(ctx))

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """Each command with the first sentence of its help."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        return [(name, command.get_short_help_str(limit=SUMMARY_LIMIT)) for name, command in commands if command]


class TableGroup(CommandGroup):
    """A group of the commands in command_table.py, each loaded only when it is needed.

    Loading all of them would take longer than any of them takes to run.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """See click."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """See click."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command | Command = importlib.import_module(COMMANDS[cmd_name].module).command
        return built(command) if isinstance(command, Command) else command

    def summaries(self, ctx: click.Context) -> list[tuple[str, str]]:
        """See CommandGroup. Reads the table, and loads no command."""
        return [(name, entry.summary) for name, entry in COMMANDS.items()]


class RawCommand(click.Command):
    """A command that receives its words unparsed."""

    def __init__(self, *, rest: str, **more: Any) -> None:
        super().__init__(**more)
        self._rest = rest

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """See click."""
        ctx.params[self._rest] = tuple(args)
        return []


def built(declared: Command) -> click.Command:
    """A declared command, converted for click."""

    def run(**given: object) -> None:
        try:
            declared.run(**given)
        except LeftToClick:
            click.echo(click.get_current_context().get_help())

    given: dict[str, Any] = {"name": declared.name, "callback": run, "help": declared.run.__doc__}
    if declared.rest:
        return RawCommand(**given, rest=declared.rest, options_metavar=declared.metavar, add_help_option=False)
    return click.Command(**given, params=[_parameter(each) for each in declared.parameters])


def _parameter(declared: Option | Choice) -> click.Parameter:
    if isinstance(declared, Choice) and not declared.words:
        return click.Argument([declared.name], metavar=f"[{declared.metavar}]", required=False)
    if isinstance(declared, Choice):
        shown = f"[{'|'.join(declared.words)}]"
        return click.Argument([declared.name], metavar=shown, type=click.Choice(declared.words), required=False)
    value: dict[str, Any] = {"metavar": declared.metavar} if declared.metavar else {"is_flag": True}
    return click.Option([declared.name, *declared.words], help=declared.help, hidden=not declared.help, **value)


@click.group(cls=TableGroup, context_settings={"help_option_names": list(HELP_WORDS)}, epilog=EXAMPLES)
@click.version_option(__version__, message="rdoctl %(version)s")
def rdoctl() -> None:
    """Manage the targets and connections of rdo."""


def run(words: list[str]) -> int:
    """The exit status of `rdoctl WORDS`. Raises RdoError, OSError."""
    try:
        return rdoctl.main(words, prog_name="rdoctl", standalone_mode=False) or 0
    except click.UsageError as complaint:
        raise usage.error_of(complaint) from None
    except click.Abort:
        raise KeyboardInterrupt from None
