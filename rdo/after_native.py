"""What the native client leaves to Python once its command is over: whatever needs Unicode tables, shell quoting or a
profile. Run by bin/rdo-client, with the kind of work as the first word."""

from __future__ import annotations

import os

from rdo import project
from rdo.__main__ import complain, main
from rdo.client import argv, command_hint
from rdo.errors import FAILURE, ConnectError, RdoError
from rdo.fscodec import fsencode

NOT_FOUND = 127


def run(words: list[str]) -> int:
    """Print what is left to say, and return the exit status. Raises RdoError."""
    kind, *rest = words
    if kind == "hint":
        command_hint.show(argv.parse(rest), os.isatty(2))
        return NOT_FOUND
    what, why, hint = (fsencode(part).decode("utf-8", "replace") for part in rest[:3])
    if kind == "fallback":
        fall_back(ConnectError(what, why, hint), argv.parse(rest[3:]))
    complain(RdoError(what, why, hint))
    return FAILURE


def fall_back(error: ConnectError, options: argv.Options) -> None:
    """Execute the local tool, if the profile says so. Raises RdoError."""
    from rdo import run_here

    environ = os.environ
    project.complete(environ)
    if options.directory:
        project.change_directory(options.directory, environ)
    found = project.discover(environ, options.project)
    environ["RDO_INSIDE"] = f"{environ['RDO_INSIDE']}:{found.root}" if "RDO_INSIDE" in environ else found.root
    run_here.fall_back(error, options, found.config, argv.profile(options, environ))


def start() -> None:
    """Run the command line of the process, and exit."""
    main(run)
