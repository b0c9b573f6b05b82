"""Builds the request for a command from the command line and its surroundings."""

from __future__ import annotations

import os
from collections.abc import Mapping

import rdo
from rdo.client import argv, tty
from rdo.client.argv import Options
from rdo.fscodec import fsencode
from rdo.ipc import terminal_modes
from rdo.ipc.release import release
from rdo.ipc.request import Request
from rdo.project import FoundConfig

NO_WINDOW = (0, 0, 0, 0)


def build(options: Options, found: FoundConfig, environ: Mapping[str, str]) -> Request:
    """What RUN asks for."""
    request = Request()
    request.version = release()
    request.place = fsencode(rdo.__path__[0])
    request.config = fsencode(found.config)
    request.profile = fsencode(argv.profile(options, environ))
    request.stamp = fsencode(found.stamp)
    request.root = fsencode(found.root)
    request.pwd = fsencode(found.pwd)
    request.cwd = fsencode(found.cwd)
    request.remote_directory = fsencode(options.remote_directory)
    request.user = fsencode(options.user)
    request.term = fsencode(environ.get("TERM", ""))
    request.is_shell_string = options.shell_string is not None
    request.sudo = options.sudo
    request.no_sync = options.no_sync
    request.sync_only = options.sync_only
    request.no_map = not options.map_args
    request.map_output = options.map_output is True
    request.no_map_output = options.map_output is False
    request.pty = needs_pty(options, environ)
    request.verbose = options.verbose
    request.progress = can_show_progress(options, request.term)
    request.no_input = not has_input(options)
    request.can_answer = options.stdin and os.isatty(0) and os.isatty(2)
    request.is_check = options.is_check
    request.window, request.modes = terminal() if request.pty else (NO_WINDOW, b"")
    request.shell_options = fsencode(" ".join(options.shell_options))
    request.arguments = [fsencode(word) for word in options.command]
    if options.shell_string is not None:
        request.arguments.insert(0, fsencode(options.shell_string))
    request.variables = [fsencode(item) for item in variables(options.env, environ)]
    request.forwards = [fsencode(item) for item in options.forwards]
    request.environ = [fsencode(f"{name}={value}") for name, value in environ.items()]
    return request


def terminal() -> tuple[tuple[int, int, int, int], bytes]:
    """The size of the terminal on stdout, and the modes of the one on stdin.

    In the background the modes are unknown, since a shell has set its own for its prompt.
    """
    return tty.window_size(1), b"" if tty.is_in_background(0) else terminal_modes.read(0)


def needs_pty(options: Options, environ: Mapping[str, str]) -> bool:
    """Whether the command gets a pty: only if stdin, stdout and stderr are all terminals, unless asked for or
    forbidden.

    Otherwise, the pty would merge stderr into stdout and turn LF into CRLF in what goes to a file or a pipe.
    """
    if options.tty is not None:
        return options.tty
    terminals = options.stdin and os.isatty(0) and os.isatty(1) and os.isatty(2)
    return terminals and not is_parallel_recipe(environ)


def is_parallel_recipe(environ: Mapping[str, str]) -> bool:
    """Whether this is a recipe under `make -j`, which gives its terminal's stdin to one of its jobs.

    In raw mode the lines of the others would lack their carriage returns, and Ctrl-C would reach this job alone. A
    command typed into a shell, even one started by such a make, leads a process group of its own; a recipe is in that
    of make.
    """
    makeflags = environ.get("MAKEFLAGS", "").partition(" -- ")[0]  # the variables of its command line follow
    has_jobs = any(word.startswith(("-j", "--jobserver")) and word != "-j1" for word in makeflags.split())
    return has_jobs and os.getpgrp() != os.getpid()


def can_show_progress(options: Options, term: bytes) -> bool:
    """Whether to show progress: only to people, and on terminals that can erase it. With `-v`, each step has a line of
    its own."""
    return not options.verbose and term not in (b"", b"dumb") and os.isatty(2)


def variables(given: list[str], environ: Mapping[str, str]) -> list[str]:
    """`NAME=VALUE` as given; for a bare `NAME` the caller's value, or nothing if the caller has none."""
    found = []
    for item in given:
        if "=" in item:
            found.append(item)
        elif item in environ:
            found.append(f"{item}={environ[item]}")
    return found


def has_input(options: Options) -> bool:
    """Whether there is a stdin to read. /dev/null, which IDEs and Makefiles use, need not be read."""
    return options.stdin and os.fstat(0).st_rdev != os.stat("/dev/null").st_rdev
