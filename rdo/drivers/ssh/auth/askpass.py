"""SSH_ASKPASS: a program that asks for passwords if there is no terminal, by the rules of OpenSSH's readpass.c.

It runs with the environment of the caller, whose screen it uses.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from enum import Enum

from rdo.drivers.caller import Caller
from rdo.drivers.ssh.options import SshOptions
from rdo.errors import reason
from rdo.fscodec import fsdecode
from rdo.util.caller_program import run_for_caller

USUAL = (
    "/usr/bin/ssh-askpass",
    "/usr/libexec/openssh/ssh-askpass",
    "/usr/lib/ssh/ssh-askpass",
    "/usr/X11R6/bin/ssh-askpass",
)
"""Where systems have the program that ssh was built to use if SSH_ASKPASS is not set."""

ASKPASS_TIMEOUT = 300.0
"""Seconds to answer, since other commands wait for this login, and sshd gives it two minutes by default."""


class AskpassUse(Enum):
    """When the program is used."""

    NEVER = "never"
    WITHOUT_TERMINAL = "without a terminal"
    ALWAYS = "always"


def use(environment: Mapping[str, str]) -> AskpassUse:
    """When the program is to be used with this environment. Pure."""
    required = environment.get("SSH_ASKPASS_REQUIRE", "").lower()
    has_screen = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    if required == "force":
        return AskpassUse.ALWAYS
    if required == "never" or not has_screen:
        return AskpassUse.NEVER
    return AskpassUse.ALWAYS if required == "prefer" else AskpassUse.WITHOUT_TERMINAL


def first_line(output: bytes) -> str:
    """The answer in the program's output. Pure."""
    return fsdecode(re.split(b"[\r\n]", output, maxsplit=1)[0])


def asking(caller: Caller, options: SshOptions) -> Caller:
    """A caller that is asked in the way that the environment and the ssh configuration demand."""
    return _Asking(caller, options.batch)


class _Asking:
    """See drivers.caller.Caller."""

    def __init__(self, caller: Caller, batch: bool) -> None:
        self._caller = caller
        self._batch = batch
        self._use = use(caller.environment)
        self.report = caller.report
        self.progress = caller.progress
        self.trace = caller.trace
        self.screen = caller.screen
        self.process = caller.process
        self.user = caller.user

    @property
    def environment(self) -> Mapping[str, str]:
        return self._caller.environment

    def ask(self, question: str, *, echo: bool) -> str | None:
        if self._batch:
            return None
        if self._use is AskpassUse.ALWAYS:
            return self._by_program(question)
        answer = self._caller.ask(question, echo=echo)
        return self._by_program(question) if answer is None and self._use is AskpassUse.WITHOUT_TERMINAL else answer

    def _by_program(self, question: str) -> str | None:
        """What is typed into the program's window; None if that is dismissed, or there is no program."""
        program = self.environment.get("SSH_ASKPASS") or next(filter(os.path.exists, USUAL), "")
        if not program:
            return None
        self._caller.progress(f"waiting for an answer in `{program}`")
        self.trace(f"asking by {program}")
        try:
            done = run_for_caller([program, question], self.environment, ASKPASS_TIMEOUT, stderr=subprocess.DEVNULL)
        except (OSError, ValueError) as error:
            self.report(f"rdo: `{program}` (SSH_ASKPASS) returned no answer: {reason(error)}")
            return None
        return first_line(done.stdout) if done.returncode == 0 else None
