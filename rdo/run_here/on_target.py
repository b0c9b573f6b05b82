"""rdo on the target itself, in what rdo runs there: it runs the command directly. Not on the hot path.

A Makefile with `rdo pytest` in it may be run by `rdo make`, where rdo and the `.rdo.conf` are there too. That this is
the target is told by the variable RDO_ON_TARGET, which every command gets there; whoever can set it for rdo could as
well run what they like. The command is never a shim (shims/script.py), which would call rdo again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from typing import NoReturn

from rdo import project
from rdo.client import argv
from rdo.client.argv import Options
from rdo.errors import ConfigError, RdoError
from rdo.run_here import fallback


def run(options: Options, environ: Mapping[str, str], value: str) -> None:
    """Become the command if `value` says that this is its target: the root of its project there, and the profile.

    Returns where it is not. Raises RdoError where the command cannot be run.
    """
    root, _, profile = value.rpartition(":")
    if profile == argv.profile(options, environ) and is_project(root, options, environ):
        execute(options)


def is_project(root: str, options: Options, environ: Mapping[str, str]) -> bool:
    """Whether the project that rdo was called in has its root there; or has no `.rdo.conf` here, and is below it."""
    try:
        found = project.discover(environ, options.project)
    except ConfigError:
        here = os.path.join(os.getcwd(), "")
        return not options.project and here.startswith(os.path.join(os.path.realpath(root), ""))
    return os.path.realpath(found.root) == os.path.realpath(root)


def execute(options: Options) -> NoReturn:
    """Become the command, with what the options of rdo ask for. Raises RdoError."""
    _prepare(options)
    words = command(options)
    program = words[0] if "/" in words[0] else fallback.find(words[0], os.environ.get("PATH", os.defpath))
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them, and what it executes would too
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execv(program or os.devnull, words)
    except OSError as error:
        why = "not found" if program is None else str(error.strerror)
        status = 127 if program is None or isinstance(error, FileNotFoundError) else 126
        os.write(2, f"rdo: {RdoError(f'cannot run `{words[0]}` here, on the target', why)}\n".encode())
    os._exit(status)  # as the shell has it that runs a command there


def _prepare(options: Options) -> None:
    for name, equals, value in (item.partition("=") for item in options.env):
        if equals:
            os.environ[name] = value
    if options.remote_directory:
        directory = os.path.join(os.path.expanduser("~"), os.path.expanduser(options.remote_directory))
        try:
            os.chdir(directory)
        except OSError as error:
            raise RdoError(f"cannot enter `{directory}`", str(error.strerror)) from None
    if not options.stdin:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


def command(options: Options) -> list[str]:
    """The words to execute."""
    words = list(options.command)
    if options.shell_string is not None:
        words = ["/bin/sh", *options.shell_options, options.shell_string, *words]
    elif not words:
        words = [os.environ.get("SHELL") or "/bin/sh", "-l"]
    return ["sudo", "--", *words] if options.sudo else words
