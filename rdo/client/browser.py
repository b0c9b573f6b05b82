"""Opens a URL on this machine, in the browser of whoever typed the command. Loaded when there is a URL to open."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping

from rdo.client import stdout, threads
from rdo.errors import SetupError

NONE_FOUND = "no browser was found"
HINT = "set BROWSER to the command that starts one"

PLACE = "%s"
"""Where the URL goes in a command of $BROWSER; without it, at the end."""


def open_for_command(url: str, withheld: bytes, line_end: bytes, note: Callable[[bytes], None]) -> None:
    """Open the URL, or report why not. `withheld` is the line about it, if another program had the screen so that it
    was not shown: no URL is opened silently. `note` shows a line if there is no such screen."""
    if withheld:
        stdout.write(2, withheld + line_end)
    try:
        open_url(url, os.environ)
    except SetupError as error:
        line = f"rdo: {error}".encode()
        if withheld:
            stdout.write(2, line + line_end)
        else:
            note(line)


def open_url(url: str, environ: Mapping[str, str]) -> None:
    """Start a browser without waiting for it. Raises SetupError if there is none."""
    for words in commands(url, environ, sys.platform):
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_unblock_signals,
            )
        except OSError:
            continue
        with contextlib.suppress(SetupError):
            threads.start(process.wait)  # so that it leaves no zombie
        return
    raise SetupError("cannot open the URL here", NONE_FOUND, HINT)


def commands(url: str, environ: Mapping[str, str], platform: str) -> Iterator[list[str]]:
    """The commands to try, in this order: those of $BROWSER, or the platform's default."""
    for command in environ.get("BROWSER", "").split(":"):
        words = [word for word in command.split(" ") if word]
        if words[-1:] == ["&"]:  # the command is started in the background anyway
            words.pop()
        if words:
            yield [word.replace(PLACE, url) for word in words] + ([] if PLACE in command else [url])
    yield ["open" if platform == "darwin" else "xdg-open", url]


def program(environ: Mapping[str, str]) -> str:
    """The first program that exists and would open a URL, as it would be called; empty if there is none."""
    names = (words[0] for words in commands("", environ, sys.platform))
    return next((name for name in names if shutil.which(name, path=environ.get("PATH"))), "")


def _unblock_signals() -> None:
    """Unblock signals, since the client receives some by sigwait(2), and a program inherits blocked ones."""
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
