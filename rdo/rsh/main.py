"""`rdo-rsh`: stands in for ssh(1) in programs that use a remote shell, such as rsync, git and Ansible. Not on the hot
path.

It is rdo with another command line: the words form a shell string, as with ssh, which runs in the login directory or,
if the host is left empty, in the directory that corresponds to the working directory.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from rdo import __main__ as program
from rdo import __version__
from rdo.client import argv
from rdo.client.argv import Options
from rdo.client.stdout import show_text
from rdo.errors import UsageError
from rdo.rsh import ssh_argv
from rdo.rsh.ssh_argv import SshCommand

LOGIN_DIRECTORY = "."


def main() -> None:
    """Run the command line, and exit with its status."""
    program.main(run)


def run(words: list[str]) -> int:
    """The exit status of `rdo-rsh WORDS`. Raises RdoError."""
    program.open_standard_descriptors()
    command = ssh_argv.parse(words)
    if command.help:
        from rdo.client.help import RSH_HELP

        return show_text(RSH_HELP)
    if command.version:
        return show_text(f"rdo-rsh of rdo {__version__}, in place of ssh\n", fd=2)
    if command.host is None:
        raise UsageError("no host given", "rdo-rsh is for programs that call `ssh`", "as in `rsync -e rdo-rsh ./ :`")
    if command.query:
        return show_text("".join(f"{line}\n" for line in configuration(command)))
    if command.control:
        return 0
    options = options_of(command, os.environ, os.isatty(0))
    if command.host or command.user or command.port or command.hostname:
        from rdo.rsh import host_check

        host_check.check(command, options)
    return program.execute(options)


def configuration(command: SshCommand) -> Iterable[str]:
    """The output for `-G`, by which git finds out whether options work as with ssh. git reads only the exit status."""
    yield f"host {command.host}"
    yield f"hostname {command.hostname or command.host}"
    yield f"port {command.port or 22}"
    if command.user:
        yield f"user {command.user}"


def options_of(command: SshCommand, environ: Mapping[str, str], has_terminal: bool) -> Options:
    """The equivalent options of rdo. Raises UsageError for a variable without a name."""
    options = Options()
    options.profile = command.profile
    options.project = command.project
    options.shell_string = " ".join(command.words) if command.words else None
    options.map_args = options.map_output = False
    options.no_sync = True  # rdo-rsh may itself be what copies the files
    options.remote_directory = LOGIN_DIRECTORY if command.host else ""
    options.stdin = command.stdin
    options.verbose = command.verbose
    if command.words or command.tty:
        options.tty = command.tty > 1 or (command.tty == 1 and has_terminal)
    for item in command.set_env:
        argv.check_env(item)
    options.env = [*(name for name in environ if any(fnmatchcase(name, p) for p in command.send_env)), *command.set_env]
    return options
