"""The `rdo` executable, if the client is the one in Python. What few commands need is imported on demand."""

from __future__ import annotations

import _signal
import os
import sys
import time
from collections.abc import Callable

from rdo import project
from rdo.client import argv, request
from rdo.client.main import Client
from rdo.client.run import INTERRUPTED, Interrupted
from rdo.client.trace import Trace
from rdo.errors import FAILURE, ConnectError, RdoError, UsageError
from rdo.ipc import address, sockets
from rdo.util import charset

INSIDE = "RDO_INSIDE"
"""Names the projects, separated by colons, whose shims (shims/script.py) run the local tool rather than rdo. Set within
rdo itself and everything that it runs on this machine, and on the target for a shim, so that nothing ever calls
itself."""


ON_TARGET = "RDO_ON_TARGET"
"""Set by remote_sh/render.py for each command on the target: the project's root there, a colon, and the profile."""


WEDGED = "wedged"
"""An option of Python (-X) with which the client in C reports that it has waited for the master in vain."""


def main(run: Callable[[list[str]], int] | None = None) -> None:
    """Run the command line, and exit at once with its status: nothing is left to flush or to clean up.

    `run` handles a command line other than that of rdo.
    """
    try:
        status = (run or run_rdo)(sys.argv[1:])
    except RdoError as error:
        complain(error)
        status = FAILURE
    except Interrupted as interrupted:
        die_of_interrupt(interrupted.whom)
    except KeyboardInterrupt:
        status = INTERRUPTED
    if status == INTERRUPTED and os.isatty(2):
        die_of_interrupt()
    os._exit(status)


def run_rdo(words: list[str]) -> int:
    """The exit status of `rdo WORDS`. Raises RdoError."""
    open_standard_descriptors()
    options = argv.parse(words)
    if options.help or options.version:
        from rdo.client import help

        return help.show(options)
    if options.sync_only and (options.command or options.shell_string is not None):
        raise UsageError("`--sync-only` runs no command", "", "leave out one of the two")
    if options.watch:
        from rdo import rerun

        return rerun.run(words, options)
    return execute(options)


def run_check(words: list[str]) -> int:
    """Like run_rdo, for a command by which `rdoctl doctor` checks that everything works, which does not count as use of
    the target."""
    open_standard_descriptors()
    options = argv.parse(words)
    options.is_check = True
    return execute(options)


def execute(options: argv.Options) -> int:
    """The exit status of the command. Raises RdoError."""
    trace = Trace(options.verbose, time.monotonic() - time.process_time())
    trace.step("client start", time.process_time())
    environ = os.environ
    project.complete(environ)
    if options.directory:
        project.change_directory(options.directory, environ)
    if ON_TARGET in environ:
        from rdo import run_here

        run_here.run_on_target(options, environ, environ[ON_TARGET])
    found = project.discover(environ, options.project)
    environ[INSIDE] = f"{environ[INSIDE]}:{found.root}" if INSIDE in environ else found.root
    path = address.socket_path(address.runtime_directory(environ))
    seen = sockets.identity(path)
    connection = None if WEDGED in sys._xoptions else sockets.connect(path)
    asked = request.build(options, found, environ)
    client = Client(asked, trace)
    if connection is not None:
        sockets.ask(connection, asked)
    try:
        status = client.run(path, seen, connection)
    except ConnectError as error:
        if not options.fallback:
            raise
        from rdo import run_here

        run_here.fall_back(error, options, found.config, argv.profile(options, environ))
    if status == 127 or "-n" in options.shell_options:
        from rdo.client import command_hint

        command_hint.show(options, os.isatty(2))
    return status


def open_standard_descriptors() -> None:
    """Open descriptors that the caller has closed (`<&-`), so that no socket of ours becomes the command's stdin or
    stdout."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open("/dev/null", os.O_RDWR)


def die_of_interrupt(whom: int | None = None) -> None:
    """End like a program that was ended by Ctrl-C, since otherwise a shell would not break its loop. $? is 130 either
    way. `whom` is for kill(2): this process, unless 0 stands for its whole group."""
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, (_signal.SIGINT,))
    os.kill(os.getpid() if whom is None else whom, _signal.SIGINT)


def complain(error: RdoError) -> None:
    """Print an error, on stderr if there is one. Errors are printed only here."""
    try:
        os.write(2, _shown(f"rdo: {error}\n"))
    except OSError:
        pass


def _shown(line: str) -> bytes:
    if not line.isascii():
        line = charset.escaped_for_terminal(line, os.environ)
    return line.encode("utf-8", "replace")


if __name__ == "__main__":
    main()
