"""What stands on a target in place of a browser: the programs of rdo/remote_sh/browser.sh, once for each connection.

What they are asked to open comes as lines of the shell that holds them, each with the word of the command it is for.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from rdo.drivers.base import STDOUT, Channel, ChannelOptions, ChannelRefused
from rdo.errors import LinkLost, RdoError
from rdo.fscodec import fsdecode
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import load, quote
from rdo.util import log, threads

TEXT = load("browser", PROGRAM=quote(load("open_url")))

START_TIMEOUT = 10.0
"""Seconds for the programs to be made: a few files."""

LINE_LIMIT = 16 * 1024
"""Bytes of a line that are read, of which a URL may have half; the rest of a longer one is dropped."""

CANNOT = "cannot create the programs that open URLs on the target"

DIRECTORY = re.compile(r"/[A-Za-z0-9/._-]{1,1000}")
"""A path that can stand in PATH and BROWSER."""

OPENED, FAILED = 0, 4
"""Exit statuses of xdg-open(1)."""

Opener = Callable[[bytes, Callable[[bool], None]], None]
"""Is given a URL, and what to call with whether it was opened. Neither waits nor raises."""


class BrowserPrograms:
    """Those of one connection. Usable from any thread."""

    def __init__(self) -> None:
        self.directory = ""
        """Where they are on the target; empty: nowhere."""
        self.fault = ""
        """Why they could not be made."""
        self._made = threading.Event()
        self._openers: dict[bytes, Opener] = {}
        """By the word of each command."""
        self._channel: Channel | None = None
        self._answering = threading.Lock()
        """Guards the order of answers; held while one is written."""

    def make(self, connection: HeldConnection, ended: Callable[[], None]) -> None:
        """Make them, once; `ended` is called when they are gone. Never raises: see `fault`."""
        try:
            connection.guard()  # the lifeline comes first, where there is little room on the connection
            self._start(connection, ended)
        except ChannelRefused:
            self.fault = "the target allows no further session on the connection"
        except RdoError as error:
            self.fault = str(error)
        except BaseException as error:
            self.fault = log.words(error)
            ended()
            raise
        finally:
            self._made.set()

    def wait(self) -> None:
        """Wait until they are made, or cannot be."""
        self._made.wait()

    def listen(self, word: str, opener: Opener) -> None:
        """Give the opener what is opened with the word."""
        self._openers[word.encode()] = opener

    def forget(self, word: str) -> None:
        """Open nothing more for the word."""
        self._openers.pop(word.encode(), None)

    def _start(self, connection: HeldConnection, ended: Callable[[], None]) -> None:
        shell = connection.open_shell(ChannelOptions())
        with contextlib.ExitStack() as undo:
            undo.callback(shell.close)
            undo.callback(connection.release, shell.group)
            connection.guard(shell.group)
            shell.start(Script(command=("/bin/sh", "-c", TEXT)))
            lines = _lines(shell.channel)
            directory = fsdecode(next(lines, b""))
            if not DIRECTORY.fullmatch(directory):
                raise RdoError(CANNOT, "`mktemp` or `mkfifo` failed there")
            self._channel = shell.channel
            threads.start(self._read, lines, shell, undo.pop_all(), ended, name="browser")
            self.directory = f"{directory}/bin"

    def _read(
        self, lines: Iterator[bytes], shell: Shell, undo: contextlib.ExitStack, ended: Callable[[], None]
    ) -> None:
        """To the end of the connection, or of the shell there."""
        with undo, contextlib.suppress(LinkLost):
            try:
                for line in lines:
                    with log.contained():
                        self._act(line)
            finally:
                ended()

    def _act(self, line: bytes) -> None:
        number, _, rest = line.partition(b" ")
        word, _, url = rest.partition(b" ")
        if not number.isdigit():
            return
        opener = self._openers.get(word)
        if opener is None:
            self._answer(number, False)
            return
        try:
            opener(url, partial(self._answer, number))
        except BaseException:
            self._answer(number, False)
            raise

    def _answer(self, number: bytes, is_opened: bool) -> None:
        """Let the program there end that waits."""
        assert self._channel is not None
        with self._answering, contextlib.suppress(LinkLost):
            self._channel.write(b"%s %d\n" % (number, OPENED if is_opened else FAILED))


def _lines(channel: Channel) -> Iterator[bytes]:
    """Lines of stdout, up to the end of output: the first is waited for only so long. Raises RdoError."""
    rest, deadline = b"", time.monotonic() + START_TIMEOUT
    timeout: float | None = START_TIMEOUT
    while True:
        try:
            chunk = channel.read(timeout)
        except TimeoutError:
            raise RdoError(CANNOT, f"no answer for {timeout:.0f} s") from None
        if chunk is None:
            return
        if chunk.stream != STDOUT:
            continue
        *lines, rest = (rest + chunk.data).split(b"\n")
        rest = rest[:LINE_LIMIT]
        for line in lines:
            timeout = None
            yield line[:LINE_LIMIT]
        if timeout is not None:
            timeout = max(0.0, deadline - time.monotonic())
