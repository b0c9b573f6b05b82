"""A running program in a session of its own, on behalf of a caller who waits: its output as it arrives, and its end."""

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
"""Seconds for a `vagrant up` whose caller has gone to clean up, after each of two interrupts."""

OUTPUT_LIMIT = 1024 * 1024
"""Bytes from each pipe. Vagrant's output about a hundred machines is a tenth of that."""

LINE_LIMIT = 8 * 1024
"""Bytes of a line of `vagrant up` that are shown in one piece."""

DRAIN_TIMEOUT = 2.0
"""Seconds to read what a program has left in its pipes, since a surviving child may keep them open indefinitely."""

ENDS = re.compile(rb"\r\n|[\r\n]")
"""A CR alone separates the updates of a download's progress."""

EXIT_CHECK_INTERVAL = 0.1
"""Seconds between two checks whether the program has ended."""


class TooMuchOutput(Exception):
    """The program's output exceeds OUTPUT_LIMIT."""


class ProgramOutput(NamedTuple):
    """The output of a program."""

    stdout: bytes
    stderr: bytes


@contextlib.contextmanager
def closed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill the program and all its children at the end of the block, whatever happens."""
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
    """If the caller goes away, do what Ctrl-C does: the first makes `vagrant up` clean up, the second ends it."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if process.poll() is not None:
                break
            _signal(process, number)
            for _ in lines(process, INTERRUPT_GRACE):
                pass  # read on, so that its last messages do not block it
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def collect(process: subprocess.Popen[bytes], timeout: float, look: Callable[[], object]) -> ProgramOutput:
    """All output of the program, once it has ended. Raises TooMuchOutput, TimeoutError and what `look` raises; the
    program may then still be running."""
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
    """The default for `look`, which checks whether the caller is still waiting."""


def lines(
    process: subprocess.Popen[bytes], timeout: float = math.inf, look: Callable[[], object] = _do_nothing
) -> Iterator[bytes]:
    """The lines of stdout as they arrive, without LF or CR. A line that is too long is split."""
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
    """Output from the pipes as it arrives, until the program has ended or time is up. Calls `look` in between, which
    may raise."""
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
