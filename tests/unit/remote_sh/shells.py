"""The shells that may be /bin/sh on a target, and a function that runs a script with one over pipes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from rdo.remote_sh.bootstrap import bootstrap, prove
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script

NONCE = "0123456789abcdef"

SECRET = "fedcba9876543210fedcba9876543210"

SHELLS = {
    "dash": "dash",
    "bash": "bash --posix",
    "busybox": "busybox sh",
    "mksh": "mksh",
    "yash": "yash",
    "posh": "posh",
    "zsh": "zsh --emulate sh",
}
"""The shells that may be /bin/sh, and how to run each as that."""

TIMEOUT = 20.0
"""Seconds for a shell and a small command, on a busy machine."""


def skip_unless(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


each_shell = pytest.mark.parametrize("shell", [pytest.param(name, marks=skip_unless(name)) for name in SHELLS])

WITHOUT_JOBS = ("mksh", "posh", "zsh")
"""Shells that cannot run the command as a job. It then replaces the shell, and Ctrl-Z stops nothing, as with ssh."""

each_shell_with_jobs = pytest.mark.parametrize(
    "shell", [pytest.param(name, marks=skip_unless(name)) for name in SHELLS if name not in WITHOUT_JOBS]
)


def as_bin_sh(shell: str, text: str) -> str:
    """The text with the shell in place of /bin/sh."""
    return text.replace("/bin/sh", SHELLS[shell])


class Ended(NamedTuple):
    """The result of a command: its output after the ready markers, and its status as a shell reports it."""

    stdout: bytes
    stderr: bytes
    status: int


def execute(
    argv: Sequence[str], given: bytes, *, cwd: str | Path = "/", environ: Mapping[str, str] | None = None
) -> Ended:
    """Run a bootstrap by this command line, let the shell prove itself, and send it `given`."""
    variables = {**os.environ, "LC_ALL": "C.UTF-8", **(environ or {})}
    given = prove(SECRET) + given
    run = subprocess.run(
        argv, input=given, capture_output=True, cwd=cwd, env=variables, start_new_session=True, timeout=TIMEOUT
    )
    out = run.stdout.partition(NONCE.encode() + b" ")[2]
    told, newline, stdout = out.partition(b"\n")
    assert newline, run
    assert told.partition(b" ")[0].isdigit(), run
    proof, newline, stdout = stdout.partition(b"\n")
    assert (proof.split()[:2], newline) == ([SECRET.encode(), told.partition(b" ")[0]], b"\n"), run
    stderr = run.stderr.partition(NONCE.encode() + b"\n")[2]
    return Ended(stdout, stderr, run.returncode if run.returncode >= 0 else 128 - run.returncode)


def run_script(shell: str, script: Script, given: bytes = b"", **more: Mapping[str, str]) -> Ended:
    text = as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))
    with tempfile.TemporaryDirectory() as directory:
        return execute(["/bin/sh", "-c", text], render(script, nonce=NONCE, pty=False) + given, cwd=directory, **more)
