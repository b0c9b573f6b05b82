"""The commands of `rdoctl`: what `--help` and completion show of them without loading any. Pure.

Like declaration.py, it loads nothing: not even `typing`, which costs as much as the start of Python."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # as typing has it, without the cost of importing that
if TYPE_CHECKING:
    from typing import Any


class Entry:
    """A command: the module whose `command` it is, and the first sentence of its help."""

    def __init__(self, module: str, summary: str) -> None:
        self.module = module
        self.summary = summary


COMMANDS = {
    "allow": Entry("rdo.cli.allow", "Allow what the .rdo.conf here asks for."),
    "completion": Entry(
        "rdo.cli.completion", "Print a shell script that completes the command lines of rdo and rdoctl."
    ),
    "deny": Entry("rdo.cli.deny", "Revoke what was allowed for the .rdo.conf here."),
    "doctor": Entry("rdo.cli.doctor.command", "Check the connection to the target, step by step."),
    "explain": Entry("rdo.cli.explain", "Show what a command would do, without connecting."),
    "forward": Entry("rdo.cli.forward", "Forward more ports of a connected target, or fewer."),
    "ide": Entry("rdo.cli.ide.command", "Set up an editor to run a project's tools on the target."),
    "init": Entry("rdo.cli.init.command", "Write a .rdo.conf for this directory."),
    "log": Entry("rdo.cli.log", "Show what the control master did: connections made, lost and closed, and why."),
    "man": Entry("rdo.cli.man", "Show the man page of rdo, rdoctl or rdo-rsh."),
    "open": Entry("rdo.cli.open", "Open a forwarded port in your browser: the only one, or the one that PORT names."),
    "ports": Entry("rdo.cli.ports", "Show the ports of targets that are forwarded to this machine."),
    "schema": Entry("rdo.cli.schema", "Print a JSON schema of .rdo.conf, for editors."),
    "service": Entry("rdo.cli.service.command", "Have systemd or launchd start the control master."),
    "shim": Entry("rdo.cli.shim", "Manage shims: local executables that run a tool on the target."),
    "status": Entry("rdo.cli.status", "Show the open connections and what runs on them."),
    "stop": Entry(
        "rdo.cli.stop", "Close the connections of this project, or the one to TARGET, once their commands have ended."
    ),
    "sync": Entry("rdo.cli.sync", "Compare and copy the files of a project whose .rdo.conf sets `sync`."),
}
"""By name, in the order of the help."""


def load(name: str) -> Any:
    """The command of that name, which is one of COMMANDS: as it is declared, or one of click's."""
    module = COMMANDS[name].module
    __import__(module)  # importlib, which has a nicer function for that, is not loaded yet
    return sys.modules[module].command
