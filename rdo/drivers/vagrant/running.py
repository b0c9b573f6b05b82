"""A program that runs, in a session of its own, for a caller who waits: its output as it comes, and its end."""

from __future__ import annotations

import contextlib
import math
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rdo.drivers.base import READ_SIZE

INTERRUPT_GRACE = 10.0
"""Seconds for a `vagrant up` whose caller is gone to clean up, after each of two interrupts."""

OUTPUT_LIMIT = 1024 * 1024
"""Bytes on either pipe: what Vagrant says of a hundred machines is a tenth of that."""

LINE_LIMIT = 8 * 1024
"""Bytes of a line of `vagrant up` that are shown together."""

DRAIN_TIMEOUT = 2.0
"""Seconds to read what a program has left in its pipes: a child that keeps running may hold them open for ever."""

ENDS = re.compile(rb"\r\n|[\r\n]")
"""A CR alone: how far a download has got."""

EXIT_CHECK_INTERVAL = 0.1
"""Seconds between two checks whether the program has ended."""


class TooMuchOutput(Exception):
    """Its output has no end."""


class ProgramOutput(NamedTuple):
    """What a program put out."""

    stdout: bytes
    stderr: bytes


@contextlib.contextmanager
def closed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of it is left, whatever happens."""
    try:
        yield
    finally:
        if process.poll() is None:
            _signal(process, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def interrupted_unless_ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """If the caller goes away, do what Ctrl-C does to a `vagrant up`: clean up, and at the second one end."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if process.poll() is not None:
                break
            _signal(process, number)
            for _ in lines(process, INTERRUPT_GRACE):
                pass  # so that it can print that it ends
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def collect(process: subprocess.Popen[bytes], timeout: float, look: Callable[[], object]) -> ProgramOutput:
    """All of it, once the program has ended. Raises TooMuchOutput, TimeoutError and what `look` raises: it may still
    run then.
    """
    found = {name: bytearray() for name in ProgramOutput._fields}
    end = time.monotonic() + timeout
    for name, data in _pieces(process, list(found), end, look):
        found[name] += data
        if len(found[name]) > OUTPUT_LIMIT:
            raise TooMuchOutput
    if process.poll() is None:
        raise TimeoutError
    return ProgramOutput(*map(bytes, found.values()))


def _do_nothing() -> None:
    """In place of a look whether the caller still waits."""


def lines(
    process: subprocess.Popen[bytes], timeout: float = math.inf, look: Callable[[], object] = _do_nothing
) -> Iterator[bytes]:
    """The lines of its stdout as they come, without their ends: LF or CR. One that is too long comes in parts."""
    rest = b""
    for _, data in _pieces(process, ["stdout"], time.monotonic() + timeout, look):
        *whole, rest = ENDS.split(rest + data)
        yield from whole
        while len(rest) > LINE_LIMIT:
            yield rest[:LINE_LIMIT]
            rest = rest[LINE_LIMIT:]
    if rest:
        yield rest


def _pieces(
    process: subprocess.Popen[bytes], names: Sequence[str], end: float, look: Callable[[], object]
) -> Iterator[tuple[str, bytes]]:
    """What comes on its pipes, until it has ended, or the time has come. Calls `look` between them, which may raise."""
    ended = False
    with selectors.DefaultSelector() as selector:
        for name in names:
            pipe = getattr(process, name)
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map() or not ended:
            look()
            for key, _ in selector.select(EXIT_CHECK_INTERVAL):
                if data := os.read(key.fd, READ_SIZE):
                    yield key.data, data
                else:
                    selector.unregister(key.fileobj)
            if not selector.get_map() and not ended:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(EXIT_CHECK_INTERVAL)
            if not ended and process.poll() is not None:
                end, ended = min(end, time.monotonic() + DRAIN_TIMEOUT), True
            if time.monotonic() > end:
                return
