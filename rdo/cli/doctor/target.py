"""The checks of `rdoctl doctor` after the login: they run commands with this installation's `rdo`, as a user would.

So they apply to every driver, and test what a command uses: master, login, shell, directory, signals.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
from collections.abc import Iterator
from typing import NamedTuple

from rdo.cli.doctor.check import Check, Finding, failed, ok, warning
from rdo.client import spawn_master
from rdo.config.load import Config
from rdo.errors import FAILURE
from rdo.fscodec import fsdecode
from rdo.remote_sh.template import load

LOGIN_TIMEOUT = 180.0
"""Seconds for the first command, since someone may have to find and type a passphrase."""

COMMAND_TIMEOUT = 30.0
"""Seconds for a command over the open connection."""

SIGNAL_TIMEOUT = 10.0
"""Seconds for a signal to reach the command, and for its end to be reported, after which the `sleep` ends anyway."""

NEUTRAL = "/"
"""Where the client is started, since `python -m` imports modules from the working directory, such as a user's
select.py."""

PREFIX = "rdo: "

FIND_SHELL = load("find_shell")
WAIT_FOR_SIGNAL = load("wait_for_signal", SECONDS=f"{SIGNAL_TIMEOUT:.0f}")


class CommandResult(NamedTuple):
    """How a command on the target ended."""

    status: int
    output: str
    complaint: str


PROGRAM = "from rdo.__main__ import main, run_check; main(run_check)"


class TargetCommands:
    """Runs commands on the target of one profile."""

    def __init__(self, config: Config) -> None:
        self._profile = config.profile
        self._root = config.root

    def line(self, *words: str) -> list[str]:
        """The command line of `rdo WORDS`, which may ask questions on the terminal, but reads no stdin."""
        return [
            *spawn_master.python(PROGRAM),
            "-n",
            "-T",
            "--no-sync",
            "--no-map-output",
            "-C",
            self._root,
            "-p",
            self._profile,
            *words,
        ]

    def run(self, *words: str, timeout: float = COMMAND_TIMEOUT) -> CommandResult:
        """Run `rdo WORDS` to its end."""
        try:
            done = subprocess.run(self.line(*words), capture_output=True, timeout=timeout, check=False, cwd=NEUTRAL)
        except subprocess.TimeoutExpired:
            return CommandResult(FAILURE, "", f"it did not end within {timeout:.0f} s")
        return CommandResult(done.returncode, _text(done.stdout), _text(done.stderr))

    def probe(self, *words: str, timeout: float = COMMAND_TIMEOUT) -> Finding:
        """Whether the command succeeds: its output, or rdo's error."""
        answer = self.run(*words, timeout=timeout)
        if answer.status == 0:
            return ok(answer.output or "works")
        complaint, _, remedy = answer.complaint.rpartition("\n")[2].removeprefix(PREFIX).partition("; ")
        return failed(complaint or f"`{shlex.join(words)}` ended with status {answer.status}", remedy)


def checks(config: Config) -> Iterator[Check]:
    """The checks, in order. They depend only on the checks of the connection: other problems need not affect them, and
    if nobody listens there is nothing to wait for. Shell builtins exist on any target."""
    commands = TargetCommands(config)
    yield Check(
        "login", lambda: commands.probe("--dir", ".", "-c", ":", timeout=LOGIN_TIMEOUT), needs=("TCP connection",)
    )
    yield Check("remote /bin/sh", lambda: commands.probe("--dir", ".", "-c", FIND_SHELL), needs=("login",))
    yield Check("remote directory", lambda: commands.probe("-c", "pwd -P"), needs=("login",))
    yield Check("lifeline", lambda: lifeline(commands), needs=("login",))


def lifeline(commands: TargetCommands) -> Finding:
    """Whether a signal reaches a command without a terminal."""
    argv = commands.line("--dir", ".", "-c", WAIT_FOR_SIGNAL)
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=NEUTRAL) as process:
        assert process.stdout is not None
        if process.stdout.readline() != b"ready\n":
            return failed("a command did not start", "try `rdo -v echo ready`")
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(SIGNAL_TIMEOUT / 2)
        except subprocess.TimeoutExpired:
            process.kill()
            return warning(
                "signals do not reach commands without a terminal", "raise MaxSessions in the target's sshd_config"
            )
    if status == 128 + signal.SIGTERM:
        return ok("signals reach commands")
    return warning(f"a command that was sent TERM ended with status {status}", "see `rdo -v true`")


def _text(data: bytes) -> str:
    return fsdecode(data).rstrip("\n")
