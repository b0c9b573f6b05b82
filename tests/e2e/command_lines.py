"""Extracts the command lines of a document, and checks whether the called programs would accept them. Runs none of
them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from types import MappingProxyType

import click

from rdo.cli.command_group import rdoctl
from rdo.client import argv
from rdo.rsh import ssh_argv
from tests.e2e.document import Document, steps

ENDS = frozenset({";", "&", "&&", "|", "||", "(", ")", "<", ">", ">>", ">&"})
"""Words that end a simple command, and redirections."""

BEFORE = frozenset({"exec", "run", "time"})
"""Words after which a command line follows: of the shell, and of `git bisect`."""

ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


def lines(document: Document) -> Iterator[str]:
    """What a reader may type: lines of shell blocks, commands of transcripts, and those in the text."""
    for block in document.blocks("sh"):
        yield from block.text.splitlines()
    for block in document.blocks("console", "text"):
        yield from (step.command for step in steps(block.text))
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", document.prose):
        if "..." not in span and not span.endswith(":"):
            yield span


def calls(line: str) -> Iterator[list[str]]:
    """The simple commands of a line of shell, without assignments before them, but including those within `$(...)`."""
    for inner in re.findall(r'"\$\((.*?)\)"', line):
        yield from calls(inner)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if word in ENDS:
            yield command
            command = []
        elif word in BEFORE or (not command and ASSIGNMENT.match(word)):
            command = []
        else:
            command.append(word)


def check(line: str) -> list[str]:
    """Our own programs that the line calls. Raises UsageError, of rdo or of click, for an invalid call."""
    try:
        found = [call for call in calls(line) if call and call[0] in PROGRAMS]
    except ValueError:
        return []  # text with a quote in it, not a command
    for call in found:
        PROGRAMS[call[0]](call[1:])
    return [call[0] for call in found]


def check_rdoctl(words: list[str]) -> None:
    """Raises click.UsageError for an unknown command or option. Required arguments may be missing."""
    command: click.Command = rdoctl
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        below = command.get_command(click.Context(command), words[0])
        if below is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = below, words[1:]
    try:
        command.make_context("rdoctl", list(words))
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError, click.exceptions.Exit):
        return


PROGRAMS = MappingProxyType({"rdo": argv.parse, "rdo-rsh": ssh_argv.parse, "rdoctl": check_rdoctl})
"""The parser of the arguments of each program."""
