"""Starts a program for this process itself, as a shell would, and reads its output to the end. `subprocess` can do
more, but takes as long to load as `ssh -G` takes to answer."""

import contextlib
import os
import select
import time
from _signal import SIGKILL, SIGPIPE, SIGXFSZ
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

READ_SIZE = 65536

IGNORED = (SIGPIPE, SIGXFSZ)
"""Signals that Python ignores, and that a program it starts must not ignore."""


class Finished(NamedTuple):
    """The exit status of a program, and its output if that was read."""

    returncode: int
    stdout: bytes
    stderr: bytes


Finish = Callable[[float], Finished]
"""Reads the output of a started program to its end. Raises TimeoutError after so many seconds, once the program and all
its children have been killed."""

Start = Callable[[Sequence[str], Mapping[str, str]], Finish]
"""Starts a program without input, looked up in PATH of the environment. Raises OSError."""


def start(command: Sequence[str], environment: Mapping[str, str]) -> Finish:
    """See Start."""
    file = _find(command[0], environment)
    (output, output_writer), (errors, errors_writer) = os.pipe(), os.pipe()
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output_writer, 1),
        (os.POSIX_SPAWN_DUP2, errors_writer, 2),
    ]
    try:
        pid = os.posix_spawn(file, list(command), environment, file_actions=streams, setpgroup=0, setsigdef=IGNORED)
    except OSError:
        os.close(output)
        os.close(errors)
        raise
    finally:
        os.close(output_writer)
        os.close(errors_writer)
    return partial(_finish, pid, output, errors)


def _find(name: str, environment: Mapping[str, str]) -> str:
    files = [os.path.join(directory, name) for directory in os.get_exec_path(environment)]
    found = next((file for file in files if os.path.isfile(file) and os.access(file, os.X_OK)), None)
    if found is None:
        raise FileNotFoundError(name)
    return found


def _finish(pid: int, output: int, errors: int, timeout: float) -> Finished:
    """See Finish."""
    try:
        found = _read([output, errors], time.monotonic() + timeout)
    except BaseException:
        kill_group(pid)
        raise
    finally:
        os.close(output)
        os.close(errors)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Finished(status, *found)


def kill_group(pid: int) -> None:
    """Kill a program that leads a process group and has not been waited for, and all its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS returns EPERM once all have ended
        os.killpg(pid, SIGKILL)


def _read(readers: Sequence[int], deadline: float) -> list[bytes]:
    """Read each descriptor to its end. Raises TimeoutError."""
    found = {reader: b"" for reader in readers}
    open_ones = select.poll()
    for reader in readers:
        open_ones.register(reader)
    left = len(found)
    while left:
        ready = open_ones.poll(max(0.0, deadline - time.monotonic()) * 1000)
        if not ready:
            raise TimeoutError
        for reader, _ in ready:
            data = os.read(reader, READ_SIZE)
            found[reader] += data
            if not data:
                open_ones.unregister(reader)
                left -= 1
    return list(found.values())
