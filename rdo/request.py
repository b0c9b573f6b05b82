"""Builds the request for a command from what was typed and where. Part of the client's hot path."""

import os

from rdo import argv, protocol
from rdo.argv import Options
from rdo.discovery import Found

NO_WINDOW = (0, 0, 0, 0)


def build(options: Options, found: Found, environ: "os._Environ[str]") -> protocol.Request:
    """What RUN asks for."""
    request = protocol.Request()
    request.version = protocol.VERSION
    request.config = os.fsencode(found.config)
    request.profile = os.fsencode(argv.profile(options, environ))
    request.stamp = os.fsencode(found.stamp)
    request.root = os.fsencode(found.root)
    request.pwd = os.fsencode(found.pwd)
    request.cwd = os.fsencode(found.cwd)
    request.remote_directory = os.fsencode(options.remote_directory)
    request.term = os.fsencode(environ.get("TERM", ""))
    pty = wants_pty(options)
    request.window = window() if pty else NO_WINDOW
    request.flags = flags(options, pty) + (b"g" if wants_progress(options, request.term) else b"")
    request.arguments = [os.fsencode(word) for word in options.command]
    if options.shell_string is not None:
        request.arguments.insert(0, os.fsencode(options.shell_string))
    request.variables = variables(options.env, os.environb)
    request.environ = [name + b"=" + value for name, value in os.environb.items()]
    return request


def window() -> "tuple[int, int, int, int]":
    """The size of the terminal that stdout is."""
    from rdo import tty  # only here: its libraries take a third of a millisecond to load

    return tty.window_size(1)


def wants_pty(options: Options) -> bool:
    """A pty is for people: only if stdin, stdout and stderr are all terminals, unless asked for or forbidden.

    With fewer, the pty would merge stderr into stdout and turn LF into CRLF in what goes to a file or a pipe.
    """
    if options.tty is not None:
        return options.tty
    return options.stdin and os.isatty(0) and os.isatty(1) and os.isatty(2) and not is_parallel_recipe(options)


def is_parallel_recipe(options: Options) -> bool:
    """Whether this is a recipe under `make -j`, which hands its terminal's stdin to one of its jobs, whichever.

    In raw mode the lines of the others would lack their carriage returns, and Ctrl-C would reach this job alone.
    """
    return options.shell_string is not None and "--jobserver" in os.environ.get("MAKEFLAGS", "")


def wants_progress(options: Options, term: bytes) -> bool:
    """Progress is for people, too, and for terminals that can take it back. With `-v`, all is told in lines."""
    return not options.verbose and term not in (b"", b"dumb") and os.isatty(2)


def flags(options: Options, pty: bool) -> bytes:
    """The letters of the request."""
    return (
        (b"c" if options.shell_string is not None else b"")
        + (b"s" if options.sudo else b"")
        + (b"" if options.map_args else b"m")
        + (b"" if options.map_output is None else b"o" if options.map_output else b"O")
        + (b"p" if pty else b"")
        + (b"v" if options.verbose else b"")
    )


def variables(given: "list[str]", environ: "os._Environ[bytes]") -> "list[bytes]":
    """`NAME=VALUE` as given; for a bare `NAME` the caller's value, and nothing where the caller has none."""
    found = []
    for item in map(os.fsencode, given):
        if b"=" in item:
            found.append(item)
        elif item in environ:
            found.append(item + b"=" + environ[item])
    return found
