"""LocalCommand of the user's ssh configuration: run here once a connection is there. What it prints is shown."""

from __future__ import annotations

import subprocess

from rdo.drivers.base import Caller
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import printable, reason
from rdo.util.caller_program import run_for_caller
from rdo.util.lines import split_lines

LOCAL_COMMAND_TIMEOUT = 60.0
"""Seconds for it to end: the command that was typed waits for it, as with ssh(1)."""

OUTPUT_LIMIT = 64 * 1024
"""Bytes of its output that are shown."""


def run(options: SshOptions, caller: Caller) -> None:
    """Run it, if there is one, by the caller's shell. What becomes of it does not matter, as with ssh(1)."""
    if not options.local_command:
        return
    shell = caller.environment.get("SHELL") or "/bin/sh"
    try:
        command = [shell, "-c", options.local_command]
        done = run_for_caller(command, caller.environment, LOCAL_COMMAND_TIMEOUT, stderr=subprocess.STDOUT)
    except (OSError, ValueError) as error:
        caller.report(f"rdo: the LocalCommand of the ssh configuration failed: {reason(error)}")
        return
    for line in split_lines(done.stdout[:OUTPUT_LIMIT].decode(errors="replace")):
        caller.report(printable(line.rstrip("\r")))
