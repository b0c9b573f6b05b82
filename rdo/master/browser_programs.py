"""The programs that stand in for a browser on a target (rdo/remote_sh/browser.sh), created once per connection.

The shell that created them prints a line for each URL they are asked to open, with the token of the command that it is
for.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from rdo.drivers.base import STDOUT, Channel, ChannelRefused
from rdo.errors import LinkLost, RdoError
from rdo.fscodec import fsdecode
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import Shell
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import load, quote
from rdo.util import log, threads

TEXT = load("browser", PROGRAM=quote(load("open_url")))

START_TIMEOUT = 10.0
"""Seconds to create the programs, which are a few files."""

LINE_LIMIT = 16 * 1024
"""Bytes of a line that are read, of which a URL may take half. The rest of a longer line is dropped."""

CANNOT = "cannot create the programs that open URLs on the target"

DIRECTORY = re.compile(r"/[A-Za-z0-9/._-]{1,1000}")
"""A path that is safe in PATH and BROWSER."""

OPENED, FAILED = 0, 4
"""Exit statuses of xdg-open(1)."""

Opener = Callable[[bytes, Callable[[bool], None]], None]
"""Takes a URL and a function, to be called with whether it was opened. Neither waits nor raises."""


class BrowserPrograms:
    """The browser programs of one connection. Thread-safe."""

    def __init__(self) -> None:
        self.directory = ""
        """Their directory on the target; empty if there is none."""
        self.fault = ""
        """Why they could not be created."""
        self._made = threading.Event()
        self._openers: dict[bytes, Opener] = {}
        """The opener for each command, by its token."""
        self._channel: Channel | None = None
        self._answering = threading.Lock()
        """Guards the order of answers; held while one is written."""

    def make(self, connection: HeldConnection, ended: Callable[[], None]) -> None:
        """Create the programs, once; `ended` is called when they are gone. Never raises: see `fault`."""
        try:
            connection.guard()  # if there is little room on the connection, the lifeline comes first
            self._start(connection, ended)
        except ChannelRefused:
            self.fault = "the target allows no further session on the connection"
            ended()  # the next command may find room
        except RdoError as error:
            self.fault = str(error)
        except BaseException as error:
            self.fault = log.words(error)
            ended()
            raise
        finally:
            self._made.set()

    def wait(self) -> None:
        """Wait until the programs have been created, or could not be."""
        self._made.wait()

    def listen(self, token: str, opener: Opener) -> None:
        """Call the opener for each URL that comes with the token."""
        self._openers[token.encode()] = opener

    def forget(self, token: str) -> None:
        """Open nothing more for the token."""
        self._openers.pop(token.encode(), None)

    def _start(self, connection: HeldConnection, ended: Callable[[], None]) -> None:
        shell = connection.open_beside()
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
        """Read until the connection or the shell on the target ends."""
        with undo, contextlib.suppress(LinkLost):
            try:
                for line in lines:
                    with log.contained():
                        self._act(line)
            finally:
                ended()

    def _act(self, line: bytes) -> None:
        number, _, rest = line.partition(b" ")
        token, _, url = rest.partition(b" ")
        if not number.isdigit():
            return
        opener = self._openers.get(token)
        if opener is None:
            self._answer(number, False)
            return
        try:
            opener(url, partial(self._answer, number))
        except BaseException:
            self._answer(number, False)
            raise

    def _answer(self, number: bytes, is_opened: bool) -> None:
        """Let the waiting program on the target exit."""
        assert self._channel is not None
        with self._answering, contextlib.suppress(LinkLost):
            self._channel.write(b"%s %d\n" % (number, OPENED if is_opened else FAILED))


def _lines(channel: Channel) -> Iterator[bytes]:
    """Lines of stdout to its end. The first line must arrive within START_TIMEOUT. Raises RdoError."""
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
