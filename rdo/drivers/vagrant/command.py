"""Running `vagrant`, each time at the cost of starting Ruby and of running the Vagrantfile. Keeps nothing."""

from __future__ import annotations

import contextlib
import math
import os
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from rdo.drivers.base import READ_SIZE
from rdo.drivers.caller import Caller
from rdo.drivers.vagrant import output as vagrant_output
from rdo.drivers.vagrant.output import MachineState
from rdo.drivers.vagrant.project import VagrantProject
from rdo.errors import ConnectError
from rdo.fscodec import fsdecode

ASK_TIMEOUT = 120.0
"""Seconds for a question, which takes 1 to 3; a Vagrantfile may do what it likes, and plugins may ask a cloud."""

INTERRUPT_GRACE = 10.0
"""Seconds for a `vagrant up` whose caller is gone to clean up, after each of two interrupts."""

TAIL_LINES = 30
"""Lines of a failed `vagrant up` in which the reason is looked for."""


OUTPUT_LIMIT = 1024 * 1024
"""Bytes on either pipe: what Vagrant says of a hundred machines is a tenth of that."""

LINE_LIMIT = 8 * 1024
"""Bytes of a line of `vagrant up` that are shown together."""

DRAIN_TIMEOUT = 2.0
"""Seconds to read what a program has left in its pipes: a child that keeps running may hold them open for ever."""

ENDS = re.compile(rb"\r\n|[\r\n]")
"""A CR alone: how far a download has got."""

EXIT_CHECK_INTERVAL = 0.1
"""Seconds between two looks whether the program has ended."""


class TooMuchOutput(Exception):
    """Its output has no end."""


class ProgramOutput(NamedTuple):
    """What a program put out."""

    stdout: bytes
    stderr: bytes


class VagrantResult(NamedTuple):
    """What a finished `vagrant` put out."""

    success: bool
    output: str
    errors: str

    @property
    def complaint(self) -> str:
        """Why it failed, in one line."""
        return vagrant_output.complaint(self.output, self.errors)


class VagrantCommand:
    """The `vagrant` of one caller, at work in one project."""

    def __init__(self, project: VagrantProject, caller: Caller) -> None:
        self._project = project
        self._caller = caller
        self._doing = ""
        """What the caller is shown."""

    def ssh_config(self, name: str) -> VagrantResult:
        """The ssh configuration of a machine that runs, as output. Raises ConnectError."""
        answer = self._ask("ssh-config", name)
        if not answer.success:
            return answer
        config = vagrant_output.ssh_config(answer.output, name)
        if not config:
            why = f"it does not contain `{name}`"
            raise ConnectError("cannot use the output of `vagrant ssh-config`", why, "try it yourself")
        return answer._replace(output=config)

    def states(self) -> dict[str, MachineState]:
        """All machines of the Vagrantfile, and how they are. Raises ConnectError."""
        answer = self._ask("status", "--machine-readable")
        if not answer.success:
            raise ConnectError("`vagrant status` failed", answer.complaint, f"try it in `{self._project.directory}`")
        states = vagrant_output.states(answer.output)
        if not states:
            raise ConnectError("cannot use the output of `vagrant status`", "it lists no machine", "try it yourself")
        return states

    def target(self) -> str | None:
        """The machine that Vagrant chooses when none is named; None if it needs a name.

        Vagrant reports this when it is about to start ssh, which then only prints its version. Raises ConnectError.
        """
        return vagrant_output.target(self._ask("ssh", "--machine-readable", "--", "-V").output)

    def up(self, name: str) -> None:
        """Get a machine running, with Vagrant's words on the caller's stderr; its last words only if it fails, for a
        caller who could watch. Raises ConnectError."""
        last: deque[str] = deque(maxlen=TAIL_LINES)
        watched = self._progress(f"vagrant up {name}")
        process = self._start(["up", name], subprocess.STDOUT)
        with _interrupted_unless_ended(process):
            for data in _lines(process, look=self._look):
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
        """Whether the caller still waits. Raises CallerGone."""
        self._caller.progress(self._doing)

    def _ask(self, *words: str) -> VagrantResult:
        self._progress(f"asking Vagrant ({shlex.join(words)})")
        self._caller.trace(f"running: vagrant {shlex.join(words)}")
        process = self._start(words, subprocess.PIPE)
        try:
            with _closed_at_the_end(process):
                output, errors = _collect(process, ASK_TIMEOUT, self._look)
        except (TimeoutError, TooMuchOutput) as error:
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
            start_new_session=True,  # so that its children end with it
        )


@contextlib.contextmanager
def _closed_at_the_end(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of it is left, whatever happens."""
    try:
        yield
    finally:
        if process.poll() is None:
            _signal(process, signal.SIGKILL)
            process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()


@contextlib.contextmanager
def _interrupted_unless_ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """If the caller goes away, do what Ctrl-C does to a `vagrant up`: clean up, and at the second one end."""
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
            if process.poll() is not None:
                break
            _signal(process, number)
            for _ in _lines(process, INTERRUPT_GRACE):
                pass  # so that it can print that it ends
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _collect(process: subprocess.Popen[bytes], timeout: float, look: Callable[[], object]) -> ProgramOutput:
    """All of it, once the program has ended. Raises TooMuchOutput, TimeoutError and what `look` raises: it may still
    run then.
    """
    found = {name: bytearray() for name in ProgramOutput._fields}
    end = time.monotonic() + timeout
    for name, data in _pieces(process, list(found), end, look):
        found[name] += data
        if len(found[name]) > OUTPUT_LIMIT:
            raise TooMuchOutput
    if process.poll() is None:
        raise TimeoutError
    return ProgramOutput(*map(bytes, found.values()))


def _do_nothing() -> None:
    """In place of a look whether the caller still waits."""


def _lines(
    process: subprocess.Popen[bytes], timeout: float = math.inf, look: Callable[[], object] = _do_nothing
) -> Iterator[bytes]:
    """The lines of its stdout as they come, without their ends: LF or CR. One that is too long comes in parts."""
    rest = b""
    for _, data in _pieces(process, ["stdout"], time.monotonic() + timeout, look):
        *whole, rest = ENDS.split(rest + data)
        yield from whole
        while len(rest) > LINE_LIMIT:
            yield rest[:LINE_LIMIT]
            rest = rest[LINE_LIMIT:]
    if rest:
        yield rest


def _pieces(
    process: subprocess.Popen[bytes], names: Sequence[str], end: float, look: Callable[[], object]
) -> Iterator[tuple[str, bytes]]:
    """What comes on its pipes, until it has ended, or the time has come. Calls `look` between them, which may raise."""
    ended = False
    with selectors.DefaultSelector() as selector:
        for name in names:
            pipe = getattr(process, name)
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, selectors.EVENT_READ, name)
        while selector.get_map() or not ended:
            look()
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
