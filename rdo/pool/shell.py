"""A shell on the target that is ready and waits for its script. See PROTOCOL.md, section 2."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from rdo.drivers.base import STDERR, STDOUT, Channel, ChannelOptions, Chunk, Connection
from rdo.errors import ConnectError, RdoError
from rdo.remote_sh import bootstrap
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script
from rdo.util.lines import split_lines, strip_blanks

READY_TIMEOUT = 60.0
"""Seconds for a login shell to get ready. A start-up file may be slow, but not endless."""

NOISE_LIMIT = 4096
"""Bytes of output before the ready marker that are kept, to explain why a shell never got ready."""

SHOWN_LIMIT = 200
"""Characters of that output that an error message includes."""

PROCESS_ID_LIMIT = 2**31 - 1
"""The largest process id on any POSIX system."""

READY = re.compile(rb" (?:(\d+) ([^\n]*)|%b\r?)\n" % bootstrap.NO_STTY.encode())
READY_APART = re.compile(rb"\n")
PROOF = re.compile(rb" (\d{1,10}) ([^\n]*)\n")
"""What follows nonce and secret. These are not part of the pattern, since compiling one for each shell would take
long."""


class ProcessGroup(NamedTuple):
    """A process group on the target, and the shell that it belongs to: its own group, or that of a child."""

    number: int
    shell: int


def is_group(text: str) -> bool:
    """Whether this is the number of a process group that may be signalled. 1 would mean every process."""
    return re.fullmatch("[1-9][0-9]{0,9}", text) is not None and 1 < int(text) <= PROCESS_ID_LIMIT


class ShellState(Enum):
    """The state of a shell."""

    STARTING = "its bootstrap runs, after whatever start-up files there are"
    READY = "it has proved itself, and waits for its script"
    STARTED = "its script went out: the command may run"
    CLOSED = "given up"


TRANSITIONS: Mapping[ShellState, frozenset[ShellState]] = {
    ShellState.STARTING: frozenset({ShellState.READY, ShellState.CLOSED}),
    ShellState.READY: frozenset({ShellState.STARTED, ShellState.CLOSED}),
    ShellState.STARTED: frozenset({ShellState.CLOSED}),
    ShellState.CLOSED: frozenset({ShellState.CLOSED}),
}
"""The states that may follow each state. Anything else is a bug in rdo: a shell gets one script, and only once."""


class Shell:
    """A channel to /bin/sh. `group` is the shell's process group on the target, known once it is ready."""

    def __init__(self, channel: Channel, nonce: str, pty: bool, plain: bool, login: bool = False) -> None:
        """`plain`: the shell is the login shell itself, or the target has none. See bootstrap.bootstrap."""
        self.channel = channel
        self.nonce = nonce
        self.secret = os.urandom(16).hex()
        """What the shell's marks begin with. The nonce is in its argument list, so it cannot prove who wrote a mark."""
        self.pty = pty
        self.plain = plain
        self.login = login
        self.group = ProcessGroup(0, 0)
        self.login_shell = ""
        """The path of the login shell, from the target's environment."""
        self.silent = False
        """Whether nothing arrived on stderr before the shell was ready."""
        self.opened = time.monotonic()
        self.state = ShellState.STARTING
        self.pending: list[Chunk] = []
        """Output that arrived together with the proof. Usually there is none."""
        self._proves_at_once = bootstrap.proves_at_once(pty=pty, login=login, plain=plain)
        self._kind = ""
        self._seen = {STDOUT: b"", STDERR: b""}

    def start(self, asked: Script) -> None:
        """Send the script. From here on the command may run. Raises LinkLost, and RdoError if the shell cannot take
        it."""
        line = render(asked, nonce=self.nonce, pty=self.pty)
        if not bootstrap.takes(self._kind, line):
            why = "it is yash, which accepts only characters of its locale"
            hint = "set LANG to a UTF-8 locale there, or use another shell as /bin/sh"
            raise RdoError("/bin/sh on the target cannot take all bytes of the command", why, hint)
        self._enter(ShellState.STARTED)
        self.channel.write(line)

    def close(self) -> None:
        """Close the shell and its channel. May be called twice."""
        self._enter(ShellState.CLOSED)
        self.channel.close()

    def _enter(self, state: ShellState) -> None:
        if state not in TRANSITIONS[self.state]:
            raise RuntimeError(f"a shell went from {self.state.name} to {state.name}")
        self.state = state

    def wait_until_ready(self) -> None:
        """Discard the login shell's output up to the ready marker, on both streams, and make the shell prove itself.

        Raises ConnectError, LinkLost. If it raises, it has closed the channel.
        """
        try:
            self._get_ready(time.monotonic() + READY_TIMEOUT)
        except BaseException:
            self.close()
            raise
        self._enter(ShellState.READY)

    def ask_for_proof(self) -> None:
        """Ask a shell that prints nothing before it to prove itself, without waiting for the answer."""
        if self._proves_at_once:
            self.channel.write_first(bootstrap.prove(self.secret))

    def _get_ready(self, deadline: float) -> None:
        if not self._proves_at_once:
            self._await_bootstrap(deadline)
            self.channel.write(bootstrap.prove(self.secret))
        proof = self._await(self.secret.encode(), PROOF, STDOUT, deadline)
        if not is_group(number := proof[1].decode()):
            raise ConnectError("the target's shell did not report a valid process ID", f"it reported {number}")
        self.group = ProcessGroup(int(number), int(number))
        self._kind = strip_blanks(proof[2].decode("utf-8", "replace"))
        self.pending = [Chunk(stream, rest) for stream, rest in self._seen.items() if rest]

    def _await_bootstrap(self, deadline: float) -> None:
        """Wait for the bootstrap. Output before its marker comes from the login shell's start-up files."""
        nonce = self.nonce.encode()
        ready = self._await(nonce, READY, STDOUT, deadline)
        if ready[1] is None:
            hint = "install it there (coreutils), or use `rdo -T`"
            raise ConnectError("the target cannot run a command on a terminal", "its `stty` is missing or fails", hint)
        self.login_shell = strip_blanks(ready[2].decode("utf-8", "replace"))
        if not (self.pty or self.plain):
            self.silent = self._await(nonce, READY_APART, STDERR, deadline).start() == len(nonce)

    def _await(self, marker: bytes, wanted: re.Pattern[bytes], stream: int, deadline: float) -> re.Match[bytes]:
        """Read up to the marker and the match that follows it. These, and everything before them, are dropped."""
        while (found := _find(marker, wanted, self._seen[stream])) is None:
            self._seen = {each: seen[-NOISE_LIMIT:] for each, seen in self._seen.items()}
            chunk = self._next(deadline)
            self._seen[chunk.stream] += chunk.data
        self._seen[stream] = self._seen[stream][found.end() :]
        return found

    def _next(self, deadline: float) -> Chunk:
        try:
            if time.monotonic() > deadline:  # with output that never pauses, no single read times out
                raise TimeoutError
            chunk = self.channel.read(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            why = _silence(_last_line(self._seen))
            what = f"the login shell was not ready after {READY_TIMEOUT:.0f} s"
            raise ConnectError(what, why, "look at its start-up files, and whether a command is forced there") from None
        if chunk is not None:
            return chunk
        status = self.channel.exit_status()
        why = f"it ended with status {status}" + (f" and said: {line}" if (line := _last_line(self._seen)) else "")
        hint = "look at the login shell, its start-up files, and whether a command is forced there"
        raise ConnectError("could not start /bin/sh on the target", why, hint)


def begin_shell(connection: Connection, opening: ChannelOptions, plain: bool) -> Shell:
    """Open a shell that gets ready in the background. `plain` as in bootstrap.bootstrap. Raises ChannelRefused,
    LinkLost."""
    nonce = os.urandom(8).hex()
    pty = opening.pty is not None
    text = bootstrap.bootstrap(nonce, pty=pty, login=opening.login, plain=plain)
    if not (pty or connection.leads_process_group):
        text = bootstrap.led(text)
    channel = connection.open_channel(text, opening.pty, opening.variables)
    shell = Shell(channel, nonce, pty, plain, opening.login)
    shell.ask_for_proof()
    return shell


def _find(marker: bytes, wanted: re.Pattern[bytes], seen: bytes) -> re.Match[bytes] | None:
    """The first match directly after a marker."""
    at = seen.find(marker)
    while at >= 0 and not (found := wanted.match(seen, at + len(marker))):
        at = seen.find(marker, at + 1)
    return found if at >= 0 else None


def _silence(line: str) -> str:
    """The error for a shell that does not get ready; `line` is the last line that it printed, if any."""
    return f"the last line it printed is: {line}" if line else "it printed nothing"


def _last_line(seen: dict[int, bytes]) -> str:
    text = (seen[STDERR] or seen[STDOUT]).decode("utf-8", "replace")
    return next((line.strip()[:SHOWN_LIMIT] for line in reversed(split_lines(text)) if line.strip()), "")
