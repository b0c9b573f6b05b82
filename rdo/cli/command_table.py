"""The commands of `rdoctl`, with what `--help` and completion show about them, without loading any. Pure.

Like declaration.py, it imports nothing, not even `typing`, which takes as long as starting Python.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from typing import Any


class CommandEntry:
    """A command: the module whose `command` it is, and the first sentence of its help."""

    def __init__(self, module: str, summary: str) -> None:
        self.module = module
        self.summary = summary


COMMANDS = {
    "allow": CommandEntry("rdo.cli.allow", "Allow what the .rdo.conf here asks for."),
    "completion": CommandEntry(
        "rdo.cli.completion", "Print a shell script that completes the command lines of rdo and rdoctl."
    ),
    "deny": CommandEntry("rdo.cli.deny", "Revoke what was allowed for the .rdo.conf here."),
    "doctor": CommandEntry("rdo.cli.doctor.command", "Check the connection to the target, step by step."),
    "explain": CommandEntry("rdo.cli.explain", "Show what a command would do, without connecting."),
    "forward": CommandEntry("rdo.cli.forward", "Add and remove forwarded ports of a connected target."),
    "ide": CommandEntry("rdo.cli.ide.command", "Set up an editor to run a project's tools on the target."),
    "init": CommandEntry("rdo.cli.init.command", "Write a .rdo.conf for this directory."),
    "log": CommandEntry("rdo.cli.log", "Show what the control master did: connections made, lost and closed, and why."),
    "man": CommandEntry("rdo.cli.man", "Show the man page of rdo, rdoctl or rdo-rsh."),
    "open": CommandEntry(
        "rdo.cli.open", "Open a forwarded port in your browser: the only one, or the one that PORT names."
    ),
    "ports": CommandEntry("rdo.cli.ports", "Show which ports are forwarded between targets and this machine."),
    "schema": CommandEntry("rdo.cli.schema", "Print a JSON schema of .rdo.conf, for editors."),
    "service": CommandEntry("rdo.cli.service.command", "Have systemd or launchd start the control master."),
    "shim": CommandEntry("rdo.cli.shim", "Manage shims: local executables that run a tool on the target."),
    "status": CommandEntry("rdo.cli.status", "Show the open connections and what runs on them."),
    "stop": CommandEntry(
        "rdo.cli.stop", "Close the connections of this project, or the one to TARGET, once their commands have ended."
    ),
    "sync": CommandEntry("rdo.cli.sync", "Compare and copy the files of a project whose .rdo.conf sets `sync`."),
}
"""The commands by name, in the order of the help."""


def load(name: str) -> Any:
    """The command of that name, which is one of COMMANDS: a declared one, or one of click's."""
    module = COMMANDS[name].module
    __import__(module)  # importlib.import_module would be nicer, but importlib is not loaded yet
    return sys.modules[module].command
