"""A script that rdo itself runs in a shell on the target, beside the user's commands, with its input and output."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

from rdo.drivers.base import STDOUT, Channel
from rdo.drivers.caller import Caller
from rdo.errors import ConnectError, LinkLost
from rdo.fscodec import fsdecode
from rdo.pool.connection import HeldConnection
from rdo.pool.connections import Opening
from rdo.pool.shell_pool import ShellPool
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import NEWLINE, load
from rdo.util import threads
from rdo.util.lines import split_lines

_NEWLINE = load("newline")

LOOK_INTERVAL = 0.5
"""Seconds between two checks whether the caller is still waiting. If the target falls silent, its connection reports
that."""

COMPLAINT_LIMIT = 4096
"""Bytes of stderr that are kept: the messages of the first program to fail."""

REASON_TIMEOUT = 2.0
"""Seconds for a script that has failed to end."""

LINE_LIMIT = 64 * 1024
"""Bytes of a line of output. The longest lines have a path and some words."""

WRITER_TIMEOUT = 10.0
"""Seconds for the writing thread to notice that its channel is closed."""


class JobUse(NamedTuple):
    """How a job gets its shell: like the command that it belongs to."""

    shells: ShellPool
    caller: Caller
    opening: Opening
    """The options of the command's shell, but without a pty."""
    sudo: str = ""
    """The user to run the job as through sudo; empty for no sudo."""


class JobFailed(ConnectError):
    """The shell on the target did not do what it was asked to."""


class ShellJob:
    """A running script. Not thread-safe."""

    def __init__(self, channel: Channel, connection: HeldConnection, look: Callable[[], object]) -> None:
        self.connection = connection
        self.complaint = b""
        """The start of what arrived on stderr."""
        self._channel = channel
        self._look = look
        self._failure: BaseException | None = None
        self._writer: threading.Thread | None = None
        self._over = False
        self._rest = b""

    def feed(self, pieces: Iterable[bytes], *, end: bool = True) -> None:
        """Write the pieces to the script's stdin while its output is read. An exception from the iterable is raised by
        `lines`."""
        self._writer = threads.start(self._feed, pieces, end, name="job")

    def _feed(self, pieces: Iterable[bytes], end: bool) -> None:
        try:
            for piece in pieces:
                if self._over:
                    break
                self._channel.write(piece)
            if end:
                self._channel.end_input()
        except LinkLost:
            return  # the reading thread notices it, too
        except BaseException as error:
            self._failure = error
            self._channel.close()
        finally:
            if isinstance(pieces, Generator):
                pieces.close()

    def close(self) -> None:
        """End the job, finished or not."""
        self._over = True
        self._channel.close()
        self.wait_for_writer()

    def write(self, text: bytes) -> None:
        """Write a small piece of input that the script is waiting for. Raises LinkLost."""
        self._channel.write(text)

    def lines(self) -> Iterator[bytes]:
        """Lines of stdout, without newlines, up to the end of output. Raises LinkLost, JobFailed.

        Text after the last newline counts as a line.
        """
        while (chunk := self.read()) is not None:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            yield from lines
            if len(self._rest) > LINE_LIMIT:
                raise JobFailed("the target sent a line that does not end")
        if self._rest:
            yield self._rest

    def read(self) -> bytes | None:
        """The next piece of stdout; None at its end. Raises LinkLost, and any exception from the input's iterable."""
        while True:
            try:
                chunk = self._channel.read(LOOK_INTERVAL)
            except TimeoutError:
                self._look()
                continue
            if self._failure is not None:
                raise self._failure
            if chunk is None:
                self._channel.exit_status()  # raises LinkLost if it was cut
                return None
            if chunk.stream == STDOUT:
                return bytes(chunk.data)
            self.complaint = (self.complaint + chunk.data)[:COMPLAINT_LIMIT]

    def reason(self) -> str:
        """The first line on stderr, text from the target; empty if there is none.

        To be called after a failure: waits for the script to end, and for its messages to arrive.
        """
        deadline = time.monotonic() + REASON_TIMEOUT
        with contextlib.suppress(TimeoutError, LinkLost):
            while chunk := self._channel.read(max(0.0, deadline - time.monotonic())):
                if chunk.stream != STDOUT:
                    self.complaint = (self.complaint + chunk.data)[:COMPLAINT_LIMIT]
        lines = [line.strip() for line in split_lines(fsdecode(self.complaint)) if line.strip()]
        return lines[0] if lines else ""

    def wait_for_writer(self) -> None:
        """Wait until the writing thread has finished."""
        if self._writer is not None:
            self._writer.join(WRITER_TIMEOUT)


@contextlib.contextmanager
def started(
    use: JobUse, text: str, look: Callable[[], object], pieces: Iterable[bytes] | None = None
) -> Iterator[ShellJob]:
    """Run the text in a shell on the target, and write the pieces to its stdin.

    `look` is called from time to time, and may raise CallerGone. Raises ConnectError, LinkLost.
    """
    with use.shells.lease(use.caller, lambda: use.opening()._replace(pty=None), for_job=True) as lease:
        lease.shell.start(_script(text, use.sudo))
        job = ShellJob(lease.shell.channel, lease.connection, look)
        try:
            if pieces is not None:
                job.feed(pieces)
            yield job
        finally:
            job.close()


@contextlib.contextmanager
def started_on(connection: HeldConnection, text: str, look: Callable[[], object]) -> Iterator[ShellJob]:
    """The same on the given connection, and for no caller. Raises ChannelRefused, ConnectError, LinkLost."""
    shell = connection.open_beside()
    with contextlib.closing(shell):
        shell.start(_script(text, ""))
        job = ShellJob(shell.channel, connection, look)
        try:
            yield job
        finally:
            job.close()


def _script(text: str, sudo: str) -> Script:
    """A script that the waiting shell runs itself, since a second shell would cost the target another process."""
    if not sudo:
        return Script((), text=text)
    text = f"{_NEWLINE}; {text}" if NEWLINE in text else text
    return Script(command=("/bin/sh", "-c", text), sudo=sudo)
