"""LocalCommand of the user's ssh configuration: run here once a connection is there. What it prints is shown."""

from __future__ import annotations

import subprocess

from rdo.drivers.base import Caller
from rdo.drivers.ssh.caller_directory import caller_directory
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import printable, reason
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
        done = subprocess.run(
            [shell, "-c", options.local_command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(caller.environment),
            cwd=caller_directory(caller.environment),
            timeout=LOCAL_COMMAND_TIMEOUT,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        caller.tell(f"rdo: the LocalCommand of the ssh configuration failed: {reason(error)}")
        return
    for line in split_lines(done.stdout[:OUTPUT_LIMIT].decode(errors="replace")):
        caller.tell(printable(line.rstrip("\r")))
