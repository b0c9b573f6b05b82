"""`rdoctl`: manages what `rdo` uses. Each command has its own file; exit statuses are decided here.

A failure of rdo is one line and status 255, as with `rdo`; an invalid command line is one line and status 2, as usual.
"""

from __future__ import annotations

import gc
import io
import os
import sys

from rdo import project
from rdo.cli import command_table
from rdo.cli.command_table import COMMANDS
from rdo.cli.declaration import Command, LeftToClick
from rdo.errors import FAILURE, USAGE, RdoError, UsageError, reason
from rdo.util import charset

TYPE_CHECKING = False  # like typing.TYPE_CHECKING, without the cost of importing typing
if TYPE_CHECKING:
    from typing import NoReturn

INTERRUPTED = 128 + 2

NO_READER = 1
"""The exit status if the reader of stdout is gone; the same as click's."""

OFFERS = "__complete"
"""The hidden command by which a shell asks for completions of the last of the words after it."""


class Ascii(io.TextIOWrapper):
    """A terminal that can only show ASCII. (If its encoding were called `ascii`, click would make it UTF-8.)"""

    def write(self, text: str) -> int:
        return super().write(charset.escaped_for_terminal(text, os.environ))


def main() -> None:
    """Run the command line, and exit with its status."""
    gc.disable()  # nothing lives long enough to be worth collecting, which would take a twentieth of the time
    _open_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace",  # a name with characters that the charset lacks is not a failure
            line_buffering=True,  # output and errors keep their order, even in one file
        )
        if sys.stdout.isatty() and not charset.is_utf8(os.environ):
            sys.stdout = Ascii(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
    _leave(run(sys.argv[1:]))


def _leave(status: int) -> NoReturn:
    """Exit at once: Python's own shutdown would take a tenth of the time of a short command."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except OSError:
                pass  # the command has failed already, or its reader has read enough
    if status == INTERRUPTED and os.isatty(2):
        from rdo import __main__ as program

        program.die_of_interrupt()
    os._exit(status)


def _open_streams() -> None:
    """Open descriptors that the caller closed (`>&-`), so that no other file gets their numbers and is written to."""
    for fd in (0, 1, 2):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open until the end


def run(words: list[str]) -> int:
    """The exit status of `rdoctl WORDS`."""
    try:
        project.complete(os.environ)
        status = _run(words)
        sys.stdout.flush()
        return status
    except RdoError as error:
        return complain(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop_output()
        return NO_READER
    except OSError as error:
        _drop_output()
        what = f"cannot use `{os.fsdecode(error.filename)}`" if error.filename else _unnamed(error)
        hint = "check its permissions, and your umask" if isinstance(error, PermissionError) else ""
        return complain(RdoError(what, reason(error), hint))


def _run(words: list[str]) -> int:
    if words[:1] == [OFFERS]:
        from rdo.cli import offers

        return offers.show(words[1:])
    if run_plain(words):
        return 0
    from rdo.cli import command_group  # loads click, which the most common commands do without

    return command_group.run(words)


def _unnamed(error: OSError) -> str:
    """What failed if the error names no file: most likely, writing to stdout."""
    import errno  # rarely needed

    is_output = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return "cannot write to stdout" if is_output else "cannot continue"


def _drop_output() -> None:
    """Discard what is still buffered: stdout accepts no more, and Python would complain about that at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())
    os.close(null)


def run_plain(words: list[str]) -> bool:
    """Run a declared command without click, if the command line is plain enough. Returns whether it was."""
    if not words or words[0] not in COMMANDS:
        return False
    command = command_table.load(words[0])
    values = command.read(words[1:]) if isinstance(command, Command) else None
    if values is None:
        return False
    try:
        command.run(**values)
    except LeftToClick:
        return False
    return True


def complain(error: RdoError) -> int:
    """Print an error, on stderr if there is one, and return the exit status."""
    line = charset.escaped_for_terminal(f"rdoctl: {error}\n", os.environ).encode("utf-8", "replace")
    try:
        os.write(2, line)
    except OSError:
        pass
    return USAGE if isinstance(error, UsageError) else FAILURE
