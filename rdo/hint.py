"""A hint for people whose command was not found because it wanted a shell. Not on the hot path."""

from __future__ import annotations

import os
import shlex

from rdo.argv import Options
from rdo.errors import printable

SHELL_SYNTAX = frozenset(" \t\n|&;<>()$`\\\"'*?[]#~=%{}")

_BUILTINS = (
    ". : [[ alias bg bind builtin caller cd command compgen complete compopt declare dirs disown enable eval exec exit "
    "export fc fg getopts hash help history jobs let local logout mapfile popd pushd read readarray readonly return "
    "set shift shopt source suspend times trap type typeset ulimit umask unalias unset wait if for while until case "
    "function select time"
)
BUILTINS = frozenset(_BUILTINS.split())
"""Names that only a shell knows, and the keywords beside them."""


def show(options: Options) -> None:
    """Write the hint to stderr, if there is one to give."""
    line = for_command(options)
    if line:
        os.write(2, f"rdo: {line}\n".encode("utf-8", "replace"))


def for_command(options: Options) -> str:
    """The hint for a command that ended with status 127; empty if its name is a plain one."""
    if options.shell_string is not None or not options.command:
        return ""
    name = options.command[0]
    instead = f"rdo -c {shlex.quote(' '.join(options.command))}"
    if name in BUILTINS:
        return printable(f"`{name}` is a shell builtin, not a program; use: {instead}")
    if SHELL_SYNTAX.isdisjoint(name):
        return ""
    return printable(f"`{name}` is no program's name; for a shell string use: {instead}")
