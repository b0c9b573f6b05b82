"""Starts a program that the user's own configuration names, as if the caller had: with the caller's environment, in the
directory where the command was typed. The control master has another environment, and runs in `/`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import partial

from rdo.util.own_program import Finish, Finished, kill_group

UMASK = 0o022
"""As a login has it, for what the program makes: that of the control master keeps everything to itself."""


def start_for_caller(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.PIPE,
    stderr: int = subprocess.PIPE,
    new_session: bool = False,
) -> subprocess.Popen[bytes]:
    """Start the program, which is looked for in the caller's PATH. Raises OSError; ValueError for a NUL in a word."""
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
    """Run the program to its end, with `given` as its stdin: what it printed, and its exit status.

    Raises what start_for_caller raises, and TimeoutError once it has been killed after `timeout` seconds, with all that
    it has started.
    """
    stdin = subprocess.PIPE if given else subprocess.DEVNULL
    streams = {"stdin": stdin, "stdout": stdout, "stderr": stderr}
    return _finish(start_for_caller(command, environment, **streams, new_session=True), given, timeout)


def begin_for_caller(command: Sequence[str], environment: Mapping[str, str]) -> Finish:
    """Start the program without input; its end is to be waited for. Raises what start_for_caller raises."""
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
