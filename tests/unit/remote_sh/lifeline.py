"""Runs the lifeline's script with a shell."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rdo.remote_sh.bootstrap import bootstrap
from rdo.remote_sh.render import LIFELINE
from tests.unit.remote_sh.shells import NONCE, TIMEOUT, as_bin_sh

END_TIMEOUT = 60.0
"""Seconds in which everything that is listed must be gone after the lifeline's end.

It tries for 2 s. On a busy machine, posh starts two programs for each try. What is not ended would run for 100 s.
"""


SAFE_KILL = """#!/bin/sh
case $2 in [1-9]*) exec /bin/kill "$@";; esac
echo "$*" >>"$0.log"
"""
"""Replaces the program of that name, because that of procps 4.0 signals every process if it is given a group."""


Start = Callable[..., "subprocess.Popen[bytes]"]


def kill_group(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


class Lifeline:
    """A shell that runs the lifeline's script, over pipes."""

    def __init__(self, shell: str, programs: Path) -> None:
        argv = ["/bin/sh", "-c", as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))]
        pipe = subprocess.PIPE
        variables = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
        self._shell = subprocess.Popen(
            argv, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=variables
        )
        self.pid = self._shell.pid
        self._to_answer = 0
        self.answers: list[bool] = []
        """For each order to send a signal, whether a process got it."""
        self.order(LIFELINE)

    def add(self, child: subprocess.Popen[bytes]) -> None:
        """Add a group to those that it guards."""
        self.order(f"add {child.pid} {child.pid}")

    def kill(self, child: subprocess.Popen[bytes], name: object) -> None:
        """Order it to send a signal."""
        self.order(f"kill {child.pid} {name} {child.pid}")

    def order(self, line: str) -> None:
        assert self._shell.stdin
        self._to_answer += line.split()[:1] == ["kill"]
        self._shell.stdin.write(line.encode() + b"\n")
        self._shell.stdin.flush()

    def lose(self) -> None:
        """Close its stdin, as happens at the end of the master or of the link."""
        assert self._shell.stdin
        self._shell.stdin.close()
        self._shell.stdin = None

    def end(self) -> tuple[bytes, bytes, int]:
        """Close its stdin, and wait for its end. Returns its output after the markers without answers, its stderr, and
        its status.
        """
        out, errors = self._shell.communicate(timeout=TIMEOUT)
        marker = NONCE.encode()
        said = out.partition(b"\n")[2]
        answers, said = said.split(b"\n")[: self._to_answer], b"\n".join(said.split(b"\n")[self._to_answer :])
        assert re.fullmatch(rb"([0-9]+ )*", b"".join(answer + b" " for answer in answers)), (out, errors)
        self.answers = [answer == b"0" for answer in answers]
        return said, errors.removeprefix(marker + b"\n"), self._shell.returncode


def all_gone(child: subprocess.Popen[bytes]) -> bool:
    """Whether every process of the group has ended in time, so that nobody has its stdout open any more."""
    deadline = time.monotonic() + END_TIMEOUT
    assert child.stdout
    os.set_blocking(child.stdout.fileno(), False)
    while time.monotonic() < deadline:
        if child.stdout.read(1) == b"":
            child.wait(TIMEOUT)  # until then, the lifeline regards it as alive
            return True
        time.sleep(0.01)
    return False
