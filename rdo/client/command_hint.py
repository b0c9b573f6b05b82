"""A hint for people whose command was not found because it needed a shell. Not on the hot path."""

from __future__ import annotations

import os
import re
import shlex
from itertools import takewhile

from rdo.client.argv import Options
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

NOT_IN_SH = frozenset(
    {
        "[[", "bind", "builtin", "caller", "compgen", "complete", "compopt", "declare", "dirs", "disown", "enable",
        "function", "help", "history", "let", "logout", "mapfile", "popd", "pushd", "readarray", "select", "shopt",
        "source", "suspend", "time", "typeset",
    }
)  # fmt: skip
"""Builtins and keywords of bash that dash, the `sh` of many targets, does not have."""

RDOCTL = frozenset(
    {
        "allow", "completion", "deny", "doctor", "explain", "forward", "help", "ide", "init", "log", "man", "open",
        "ports", "schema", "service", "shim", "status", "stop", "sync",
    }
)  # fmt: skip
"""Commands of rdoctl that somebody may have taken for commands of rdo; and `help`."""

NO_EXEC = "-n"
"""An option of the shell before its string, and of rdo before a command."""

_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)


def show(options: Options, has_terminal: bool) -> None:
    """Write the hint to stderr, if there is one. Without a terminal, only if it cannot be wrong."""
    line = for_rdoctl(options) or (for_command(options) if has_terminal else "")
    if line:
        os.write(2, f"rdo: {line}\n".encode("utf-8", "replace"))


def for_rdoctl(options: Options) -> str:
    """The hint for a command of rdoctl that was sent to the target; empty if it is not one."""
    if options.shell_string is not None or not RDOCTL.issuperset(options.command[:1] or [""]):
        return ""
    name, *rest = options.command
    meant = "rdo --help" if name == "help" else shlex.join(["rdoctl", name, *rest])
    return printable(f"did you mean `{meant}`?")


def for_command(options: Options) -> str:
    """The hint for a command that was not found, or not run; empty if its name is an ordinary one."""
    if NO_EXEC in options.shell_options:
        why = "is the shell's option to run nothing"
        return printable(f"`{NO_EXEC}` before `-c` {why}; for no stdin use: rdo -c STRING </dev/null")
    if options.shell_string is not None or not options.command:
        return ""
    name = options.command[0]
    if _ASSIGNMENT.fullmatch(name):
        variables = list(takewhile(_ASSIGNMENT.fullmatch, options.command))
        rest = options.command[len(variables) :]
        instead = shlex.join(["rdo", *(word for item in variables for word in ("-e", item)), *rest])
        return printable(f"`{name}` is not a program; to set a variable there use: {instead}")
    string = f"-c {shlex.quote(' '.join(options.command))}"
    if name in NOT_IN_SH:
        return printable(f"`{name}` is a builtin of bash, not a program; use: rdo bash {string}")
    instead = f"rdo {string}"
    if name in BUILTINS:
        return printable(f"`{name}` is a shell builtin, not a program; use: {instead}")
    if SHELL_SYNTAX.isdisjoint(name):
        return ""
    return printable(f"`{name}` is not the name of a program; for a shell string use: {instead}")
