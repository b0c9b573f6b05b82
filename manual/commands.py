"""Converts the commands of `rdoctl`, as declared for click, to pieces of a man page."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from manual.page import Entry, Heading, Paragraph, Piece, Verbatim

AS_IT_IS = "\b\n"
"""Starts a paragraph that click must not refill."""


def pieces(program: click.Group) -> Iterator[Piece]:
    """The pieces for the program itself, and then for each command, in the order of `--help`."""
    context = click.Context(program, info_name=program.name)
    yield Heading("NAME")
    yield Paragraph(f"{program.name} - {summary(program)}")
    yield Heading("SYNOPSIS")
    yield Verbatim([usage(context)])
    yield Heading("OPTIONS")
    yield from options(context)
    yield Heading("COMMANDS")
    yield from subcommands(context)
    epilog = inspect.cleandoc(program.epilog or "").removeprefix(AS_IT_IS)
    title, _, lines = epilog.partition(":\n")
    yield Heading(title.upper())
    yield Verbatim([line.removeprefix("  ") for line in lines.splitlines()])


def subcommands(context: click.Context) -> Iterator[Piece]:
    """The pieces for the commands of a group, and for their own commands."""
    group = context.command
    assert isinstance(group, click.Group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        below = click.Context(command, info_name=name, parent=context)
        yield Heading(below.command_path.partition(" ")[2], is_part=True)
        yield Verbatim([usage(below)])
        yield from text(below.command.help or "")
        yield from options(below)
        if isinstance(below.command, click.Group):
            yield from subcommands(below)


def usage(context: click.Context) -> str:
    """The line that shows how to call the command."""
    return " ".join([context.command_path, *context.command.collect_usage_pieces(context)])


def summary(command: click.Command) -> str:
    """The first sentence of the command's help, in the form of a man page's NAME section."""
    line = (command.help or "").partition("\n")[0].rstrip(".")
    return line[:1].lower() + line[1:]


def text(help: str) -> Iterator[Piece]:
    """The paragraphs of a help text."""
    for block in re.split(r"\n{2,}", inspect.cleandoc(help)):
        if block.startswith(AS_IT_IS):
            yield Verbatim(block.removeprefix(AS_IT_IS).splitlines())
        else:
            yield Paragraph(" ".join(block.split()))


def options(context: click.Context) -> Iterator[Entry]:
    """The options of the command, except for `--help`."""
    for option in context.command.get_params(context):
        record = option.get_help_record(context) if isinstance(option, click.Option) else None
        if record and "--help" not in option.opts:
            yield Entry(*record)
