"""A shell on the target, opened and ready: it waits for its script. PROTOCOL.md, section 2."""

from __future__ import annotations

import os
import time

from rdo import script
from rdo.drivers.base import STDERR, STDOUT, Channel, Chunk, Connection, Opening
from rdo.errors import ConnectError, LinkLost
from rdo.lines import split_lines, strip_blanks

READY_TIMEOUT = 60.0
"""Seconds for a login shell to get ready: a start-up file may be slow, but not for ever."""

NOISE_KEPT = 4096
"""Bytes of what came before the ready marker that are kept, to explain a shell that never got ready."""


LONGEST_SHOWN = 200
"""Characters of it that an error shows."""


class Shell:
    """A channel to /bin/sh that has said it is ready. `group` is its process group on the target."""

    def __init__(self, channel: Channel, nonce: str, pty: bool, plain: bool) -> None:
        """`plain`: that shell is the login shell itself, or the target has none. See script.bootstrap."""
        self.channel = channel
        self.nonce = nonce
        self.pty = pty
        self.plain = plain
        self.group = 0
        self.login_shell = ""
        """Its path, as the target's environment has it."""
        self.silent = False
        """Whether nothing came on stderr before it was ready."""
        self.opened = time.monotonic()
        self.pending: list[Chunk] = []
        """Output that came with the ready marker: none, unless the shell is a strange one."""

    def start(self, asked: script.Script) -> None:
        """Send the script. From here on the command may run. Raises LinkLost."""
        self.channel.write(script.render(asked, nonce=self.nonce, pty=self.pty))

    def wait_until_ready(self) -> None:
        """Drop the login shell's noise up to the ready marker, on both streams.

        Raises ConnectError, LinkLost; then its channel is closed.
        """
        try:
            self._skip_noise()
        except (ConnectError, LinkLost):
            self.channel.close()
            raise

    def _skip_noise(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        seen = {STDOUT: b"", STDERR: b""}
        waiting = {STDOUT} if self.pty or self.plain else {STDOUT, STDERR}
        while waiting:
            chunk = self._next(deadline, seen)
            seen[chunk.stream] += chunk.data
            noise, marker, rest = seen[chunk.stream].rpartition(self._marker(chunk.stream))
            if not marker or chunk.stream not in waiting:
                seen[chunk.stream] = seen[chunk.stream][-NOISE_KEPT:]
                continue
            told, newline, rest = rest.partition(b"\n")
            if not newline:
                continue
            waiting.discard(chunk.stream)
            if chunk.stream == STDOUT:
                pid, _, login_shell = told.partition(b" ")
                self.group = int(pid)
                self.login_shell = strip_blanks(login_shell.decode("utf-8", "replace"))
            else:
                self.silent = not noise
            if rest:
                self.pending.append(Chunk(chunk.stream, rest))

    def _marker(self, stream: int) -> bytes:
        return self.nonce.encode() + (b" " if stream == STDOUT else b"")

    def _next(self, deadline: float, seen: dict[int, bytes]) -> Chunk:
        try:
            if time.monotonic() > deadline:  # what never falls silent is never late for a read
                raise TimeoutError
            chunk = self.channel.read(max(0.0, deadline - time.monotonic()))
        except TimeoutError:
            why = _silence(_last_line(seen))
            raise ConnectError("the target's shell does not get ready", why, "look at its start-up files") from None
        if chunk is not None:
            return chunk
        status = self.channel.exit_status()
        why = f"it ended with status {status}" + (f" and said: {line}" if (line := _last_line(seen)) else "")
        raise ConnectError("the target gives no /bin/sh", why, "look at the login shell and its start-up files")


def begin_shell(connection: Connection, opening: Opening, login: bool, plain: bool) -> Shell:
    """A new shell that gets ready on its own. `plain` as in script.bootstrap. Raises ChannelRefused, LinkLost."""
    nonce = os.urandom(8).hex()
    pty = opening.pty is not None
    text = script.bootstrap(nonce, pty=pty, login=login, plain=plain)
    return Shell(connection.open_channel(text, opening.pty, opening.variables), nonce, pty, plain)


def _silence(line: str) -> str:
    """Why a shell is given up that does not get ready; `line` is the last one that it wrote, if any."""
    return f"within {READY_TIMEOUT:.0f} s it " + (f"came no further than: {line}" if line else "printed nothing")


def _last_line(seen: dict[int, bytes]) -> str:
    text = (seen[STDERR] or seen[STDOUT]).decode("utf-8", "replace")
    return next((line.strip()[:LONGEST_SHOWN] for line in reversed(split_lines(text)) if line.strip()), "")
