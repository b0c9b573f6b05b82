"""Runs `vagrant`, which starts Ruby and evaluates the Vagrantfile each time. Caches nothing."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from rdo.drivers.caller import Caller
from rdo.drivers.vagrant import output as vagrant_output
from rdo.drivers.vagrant import running
from rdo.drivers.vagrant.output import MachineState
from rdo.drivers.vagrant.project import VagrantProject
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode

AUTO_UP = "set `auto_up = true`"
"""How an error message proposes to start machines without the user."""

ASK_TIMEOUT = 120.0
"""Seconds for a query, which usually takes 1 to 3. But a Vagrantfile may do anything, and plugins may query a cloud."""

TAIL_LINES = 30
"""Lines at the end of a failed `vagrant up` that are searched for the reason."""


class VagrantResult(NamedTuple):
    """The output of a finished `vagrant`, and whether it succeeded."""

    success: bool
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """Why it failed, in one line."""
        return vagrant_output.complaint(self.output, self.errors)


class VagrantCommand:
    """Runs `vagrant` in one project, on behalf of one caller."""

    def __init__(self, project: VagrantProject, caller: Caller) -> None:
        self._project = project
        self._caller = caller
        self._doing = ""
        """The step that is shown to the caller as progress."""

    def ssh_config(self, name: str) -> VagrantResult:
        """The output of `vagrant ssh-config` for a running machine. Raises ConnectError."""
        answer = self._ask("ssh-config", name)
        if not answer.success:
            return answer
        config = vagrant_output.ssh_config(answer.output, name)
        if not config:
            why = f"it does not contain `{name}`"
            raise ConnectError("cannot use the output of `vagrant ssh-config`", why, "try it yourself")
        return answer._replace(output=config)

    def states(self) -> dict[str, MachineState]:
        """All machines of the Vagrantfile and their states. Raises ConnectError."""
        answer = self._ask("status", "--machine-readable")
        if not answer.success:
            raise ConnectError("`vagrant status` failed", answer.complaint, f"try it in `{self._project.directory}`")
        states = vagrant_output.states(answer.output)
        if not states:
            raise ConnectError("cannot use the output of `vagrant status`", "it lists no machine", "try it yourself")
        return states

    def target(self) -> str | None:
        """The machine that Vagrant uses if none is named; None if it requires a name.

        Vagrant reports its choice when it is about to start ssh, which is only asked to print its version. Raises
        ConnectError.
        """
        return vagrant_output.target(self._ask("ssh", "--machine-readable", "--", "-V").output)

    def up(self, name: str) -> None:
        """Run `vagrant up`, with its output on the caller's stderr. A caller who sees it as progress gets only its last
        lines there, and only if it fails. Raises ConnectError."""
        last: deque[str] = deque(maxlen=TAIL_LINES)
        watched = self._progress(f"vagrant up {name}")
        process = self._start(["up", name], subprocess.STDOUT)
        with running.interrupted_unless_ended(process):
            for data in running.lines(process, look=self._look):
                last.append(line := fsdecode(data))
                self._show(line.rstrip(), watched)
            status = process.wait()
        if status != 0:
            for line in last if watched else ():
                self._caller.report(line.rstrip())
            why = vagrant_output.complaint("", "\n".join(last)) or f"status {status}"
            raise ConnectError(f"`vagrant up {shlex.quote(name)}` failed", why, "see its output above")

    def _show(self, line: str, watched: bool) -> None:
        if not watched:
            self._caller.report(line)
        elif line:
            self._progress(f"vagrant up: {line}")

    def _progress(self, step: str) -> bool:
        """See Caller."""
        self._doing = step
        return self._caller.progress(step)

    def _look(self) -> None:
        """Check that the caller is still waiting. Raises CallerGone."""
        self._caller.progress(self._doing)

    def _ask(self, *words: str) -> VagrantResult:
        self._progress(f"asking Vagrant ({shlex.join(words)})")
        self._caller.trace(f"running: vagrant {shlex.join(words)}")
        process = self._start(words, subprocess.PIPE)
        try:
            with running.closed_at_the_end(process):
                output, errors = running.collect(process, ASK_TIMEOUT, self._look)
        except (TimeoutError, running.TooMuchOutput) as error:
            why = f"waited {ASK_TIMEOUT:.0f} s" if isinstance(error, TimeoutError) else "its output does not end"
            raise ConnectError(f"`vagrant {words[0]}` did not respond", why, "try it yourself") from None
        return VagrantResult(process.returncode == 0, fsdecode(output), fsdecode(errors))

    def _start(self, words: Iterator[str] | tuple[str, ...] | list[str], errors: int) -> subprocess.Popen[bytes]:
        environment = self._project.environment(self._caller.environment)
        program = shutil.which("vagrant", path=environment.get("PATH", os.defpath))
        if program is None:
            raise ConnectError("cannot ask Vagrant about its machines", "`vagrant` is not in PATH", "install Vagrant")
        return subprocess.Popen(
            [program, *words],
            cwd=self._project.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # so that its children can be ended with it
        )
