"""Takes in what a program prints, up to a size and up to a time: whole, or line by line. Knows nothing of Vagrant."""

from __future__ import annotations

import contextlib
import math
import os
import re
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

OUTPUT_LIMIT = 1024 * 1024
"""Bytes on either pipe: what Vagrant says of a hundred machines is a tenth of that."""

LINE_LIMIT = 8 * 1024
"""Bytes of a line of `vagrant up` that are shown together."""

DRAIN_TIMEOUT = 2.0
"""Seconds to read what a program has left in its pipes: a child that keeps running may hold them open for ever."""

ENDS = re.compile(rb"\r\n|[\r\n]")
"""A CR alone: how far a download has got."""

READ_SIZE = 64 * 1024
EXIT_CHECK_INTERVAL = 0.1
"""Seconds between two looks whether the program has ended."""


class TooMuchOutput(Exception):
    """Its output has no end."""


class ProgramOutput(NamedTuple):
    """What a program put out."""

    stdout: bytes
    stderr: bytes


def collect(process: subprocess.Popen[bytes], timeout: float) -> ProgramOutput:
    """All of it, once the program has ended. Raises TooMuchOutput, and TimeoutError: it may still run then."""
    found = {name: bytearray() for name in ProgramOutput._fields}
    end = time.monotonic() + timeout
    for name, data in _pieces(process, list(found), end):
        found[name] += data
        if len(found[name]) > OUTPUT_LIMIT:
            raise TooMuchOutput
    if process.poll() is None:
        raise TimeoutError
    return ProgramOutput(*map(bytes, found.values()))


def lines(process: subprocess.Popen[bytes], timeout: float = math.inf) -> Iterator[bytes]:
    """The lines of its stdout as they come, without their ends: LF or CR. One that is too long comes in parts."""
    rest = b""
    for _, data in _pieces(process, ["stdout"], time.monotonic() + timeout):
        *whole, rest = ENDS.split(rest + data)
        yield from whole
        while len(rest) > LINE_LIMIT:
            yield rest[:LINE_LIMIT]
            rest = rest[LINE_LIMIT:]
    if rest:
        yield rest


def _pieces(process: subprocess.Popen[bytes], names: Sequence[str], end: float) -> Iterator[tuple[str, bytes]]:
    """What comes on its pipes, until it has ended, or the time has come."""
    ended = False
    with selectors.DefaultSelector() as selector:
        for name in names:
            pipe = getattr(process, name)
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map() or not ended:
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
