"""`rdoctl`: manages what `rdo` uses. One file a command; errors and exit statuses are decided here.

A failure of rdo is one line and status 255, as with `rdo`; a wrong command line is status 2, as click has it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys

import click

from rdo import __version__, project
from rdo.cli.command_group import LazyGroup
from rdo.errors import FAILURE, RdoError, reason
from rdo.util import charset

INTERRUPTED = 128 + 2

EXAMPLES = """\
\b
Examples:
  rdoctl init                     write a .rdo.conf for this directory
  rdoctl doctor                   check each step on the way to the target
  rdoctl explain make test        show what `rdo make test` would do
  rdoctl status                   show the open connections
  rdoctl allow                    allow what the .rdo.conf here asks for
  rdoctl shim add pytest          create a pytest that runs on the target
  rdoctl ide vscode               have VS Code run the tools on the target
  rdoctl stop --all               close all connections, after their commands
  eval "$(rdoctl completion bash)"
"""


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXAMPLES,
    modules={
        "init": "rdo.cli.init.command",
        "status": "rdo.cli.status",
        "stop": "rdo.cli.stop",
        "explain": "rdo.cli.explain",
        "doctor": "rdo.cli.doctor.command",
        "allow": "rdo.cli.allow",
        "deny": "rdo.cli.deny",
        "shim": "rdo.cli.shim",
        "ide": "rdo.cli.ide.command",
        "completion": "rdo.cli.completion",
        "man": "rdo.cli.man",
        "schema": "rdo.cli.schema",
    },
)
@click.version_option(__version__, message="rdoctl %(version)s")
def rdoctl() -> None:
    """Manage the targets and connections of rdo."""


class Ascii(io.TextIOWrapper):
    """A terminal that takes nothing else. (click makes UTF-8 of a stream whose encoding is called so.)"""

    def write(self, text: str) -> int:
        return super().write(charset.escaped_for_terminal(text, os.environ))


def main() -> None:
    """Run the command line, and leave with its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal's charset lacks is not a failure
        if sys.stdout.isatty() and not charset.is_utf8(os.environ):
            sys.stdout = Ascii(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
    sys.exit(run(sys.argv[1:]))


def run(words: list[str]) -> int:
    """The exit status of `rdoctl WORDS`."""
    try:
        project.make_absolute(os.environ)
        return rdoctl.main(words, prog_name="rdoctl", standalone_mode=False) or 0
    except RdoError as error:
        return complain(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except OSError as error:
        what = f"cannot use `{os.fsdecode(error.filename)}`" if error.filename else "cannot continue"
        hint = "check its permissions, and your umask" if isinstance(error, PermissionError) else ""
        return complain(RdoError(what, reason(error), hint))


def complain(error: RdoError) -> int:
    """Show an error as a line on stderr, if there is one; the exit status."""
    with contextlib.suppress(OSError):
        os.write(2, charset.escaped_for_terminal(f"rdoctl: {error}\n", os.environ).encode("utf-8", "replace"))
    return FAILURE
