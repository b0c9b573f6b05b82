"""A command to be measured. It is started in the cheapest way, so that little else is measured."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

TIMEOUT = 180
"""Seconds after which a command is considered to hang. The slowest one moves 4 GB."""

BUFFER = 1 << 20
"""Bytes to read or write at a time. A pipe holds 64 KiB, so the other side sets the pace."""


class BenchmarkError(Exception):
    """Something failed that has to work, so there is no result."""


class Skipped(Exception):
    """This cannot be measured here; the message says why."""


@dataclass(frozen=True)
class Command:
    """A command. `argv` starts with a full path; `directory` is its working directory."""

    argv: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str]

    def time(self) -> float:
        """Seconds from start to end, without input and output. Raises BenchmarkError."""
        with _Run(self) as run:
            pass
        return run.seconds

    def cpu(self) -> float:
        """Seconds of CPU time from start to end, without input and output. Raises BenchmarkError."""
        with _Run(self) as run:
            pass
        return run.cpu

    def drain(self, size: int) -> float:
        """Seconds that the command takes to write `size` bytes into a pipe and end. Raises BenchmarkError."""
        with contextlib.ExitStack() as ends:
            here, there = _pipe(ends)
            with _Run(self, stdout=there) as run:
                os.close(there)
                room = bytearray(BUFFER)
                seen = 0
                while count := os.readv(here, [room]):
                    seen += count
        if seen != size:
            raise BenchmarkError(f"`{' '.join(self.argv)}` wrote {seen} bytes instead of {size}")
        return run.seconds

    def fill(self, size: int) -> float:
        """Seconds that the command takes to read `size` bytes from a pipe and end. Raises BenchmarkError."""
        with contextlib.ExitStack() as ends:
            there, here = _pipe(ends)
            with _Run(self, stdin=there) as run:
                os.close(there)
                data = memoryview(bytes(BUFFER))
                while size:
                    size -= os.write(here, data[: min(size, BUFFER)])
                os.close(here)
        return run.seconds


def _pipe(ends: contextlib.ExitStack) -> tuple[int, int]:
    """The reading and the writing end of a pipe, which are closed at the end unless they are closed already."""
    pair = os.pipe()
    for fd in pair:
        ends.callback(_close, fd)
    return pair


def _close(fd: int) -> None:
    with contextlib.suppress(OSError):
        os.close(fd)


class _Run:
    """Runs a command from start to end. Whatever goes wrong, it is not left running."""

    seconds = cpu = 0.0

    def __init__(self, command: Command, stdin: int | None = None, stdout: int | None = None) -> None:
        self._command = command
        self._stdin = stdin
        self._stdout = stdout
        self._pid = 0

    def __enter__(self) -> _Run:
        self._stderr = tempfile.TemporaryFile()
        self._bound = _bounded()
        self._bound.__enter__()
        null = os.devnull
        actions: list[tuple[int, int, int] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0)
            if self._stdin is None
            else (os.POSIX_SPAWN_DUP2, self._stdin, 0),
            (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0)
            if self._stdout is None
            else (os.POSIX_SPAWN_DUP2, self._stdout, 1),
            (os.POSIX_SPAWN_DUP2, self._stderr.fileno(), 2),
        ]
        argv, environment = self._command.argv, dict(self._command.environment)
        os.chdir(self._command.directory)  # posix_spawn cannot set it
        self._start = time.perf_counter()
        self._pid = os.posix_spawn(argv[0], argv, environment, file_actions=actions)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            broken = kind is not None and not issubclass(kind, BrokenPipeError)
            status = self._kill() if broken else self._wait()
            if not broken and status != 0:
                self._stderr.seek(0)
                said = self._stderr.read().decode("utf-8", "replace").strip()
                raise BenchmarkError(f"`{' '.join(self._command.argv)}` ended with status {status}: {said}")
        finally:
            self._bound.__exit__(None, None, None)
            self._stderr.close()

    def _wait(self) -> int:
        try:
            _, status, usage = os.wait4(self._pid, 0)
        except BaseException:
            self._kill()
            raise
        self.seconds = time.perf_counter() - self._start
        self.cpu = usage.ru_utime + usage.ru_stime
        return os.waitstatus_to_exitcode(status)

    def _kill(self) -> int:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)


@contextlib.contextmanager
def _bounded() -> Iterator[None]:
    """Raise BenchmarkError in the block if it has not ended after TIMEOUT seconds."""

    def give_up(_number: int, _frame: FrameType | None) -> None:
        raise BenchmarkError(f"a command did not end within {TIMEOUT} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TIMEOUT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
