"""Starts a program named by the user's own configuration as if the caller had started it: with the caller's
environment, and in the directory where the command was typed. The control master itself has another environment, and
runs in `/`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial

from rdo.util.own_program import Finish, Finished, kill_group

UMASK = 0o022
"""The usual umask of a login. The control master's own umask would make the program's files private."""


def start_for_caller(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    new_session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start the program, looked up in the caller's PATH. Raises OSError, and ValueError for a NUL in a word."""
    pwd = environment.get("PWD", "")
    return subprocess.Popen(
        command,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=dict(environment),
        cwd=pwd if pwd.startswith("/") and os.path.isdir(pwd) else "/",  # the directory may have been removed
        start_new_session=new_session,
        umask=UMASK,
    )


def run_for_caller(
    command: Sequence[str],
    environment: Mapping[str, str],
    timeout: float,
    *,
    given: bytes = b"",
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
) -> Finished:
    """Run the program to its end, with `given` as its stdin, and return its output and exit status.

    Raises what start_for_caller raises, and TimeoutError after `timeout` seconds, once the program and all its children
    have been killed.
    """
    stdin = subprocess.PIPE if given else subprocess.DEVNULL
    streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    return _finish(start_for_caller(command, environment, **streams, new_session=True), given, timeout)


def begin_for_caller(command: Sequence[str], environment: Mapping[str, str]) -> Finish:
    """Start the program without input. The caller of this function waits for its end. Raises what start_for_caller
    raises."""
    return partial(_finish, start_for_caller(command, environment, new_session=True), b"")


def _finish(process: subprocess.Popen[bytes], given: bytes, timeout: float) -> Finished:
    with process:
        try:
            output, errors = process.communicate(given or None, timeout)
        except subprocess.TimeoutExpired:
            kill_group(process.pid)
            raise TimeoutError(f"waited {timeout:.0f} s") from None
        finally:
            process.kill()
    return Finished(process.returncode, output or b"", errors or b"")
