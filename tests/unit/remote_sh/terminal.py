"""A real pty on which a bootstrap runs, and functions that wait for its output."""

from __future__ import annotations

import fcntl
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

from rdo.remote_sh.bootstrap import bootstrap, prove
from rdo.remote_sh.markers import mark
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script
from rdo.remote_sh.template import load
from tests.unit.remote_sh.shells import NONCE, SECRET, TIMEOUT, as_bin_sh

TAKE_TERMINAL = load("take_terminal")

READY = re.compile(rb"%b (\d+) [^\n]*\n" % NONCE.encode())
PROOF = re.compile(rb"%b (\d+) [^\n]*\n" % SECRET.encode())


def line(text: str) -> re.Pattern[bytes]:
    """A mark, and the end of its line."""
    return re.compile(re.escape(mark(SECRET, text)) + rb"\r?\n")


READ = line("ready")
GROUP = re.compile(rb"\033\]rdo;%b;group;(\d+)\007\r?\n" % SECRET.encode())


class Terminal:
    """A bootstrap on a pty of 40 rows and 100 columns. `output` is what was received since the last wait."""

    def __init__(self, text: str, environ: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> None:
        self.output = b""
        self._near, far = os.openpty()
        self.modes = termios.tcgetattr(far)
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("4H", 40, 100, 0, 0))
        argv = [*before, "/bin/sh", "-c", TAKE_TERMINAL, text, os.ttyname(far)]
        self._shell = subprocess.Popen(argv, start_new_session=True, env={**os.environ, **(environ or {})})
        self.wait_for(READY)
        self.write(prove(SECRET))
        assert self.wait_for(PROOF).start() == 0
        os.close(far)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close the terminal, which sends SIGHUP to everything on it."""
        os.close(self._near)
        try:
            self._shell.wait(TIMEOUT)
        finally:
            self._shell.kill()

    def write(self, data: bytes) -> None:
        deadline = time.monotonic() + TIMEOUT
        while data:
            assert select.select([], [self._near], [], max(0.0, deadline - time.monotonic()))[1], "nobody reads"
            data = data[os.write(self._near, data[:1024]) :]

    def start(self, script: Script) -> None:
        """Send the script, and wait until it was read. There must be no output before that."""
        self.write(render(script, nonce=NONCE, pty=True))
        assert self.wait_for(READ).start() == 0

    def wait_for(self, pattern: bytes | re.Pattern[bytes]) -> re.Match[bytes]:
        """Read until the pattern matches, and drop everything up to its end."""
        wanted = re.compile(re.escape(pattern)) if isinstance(pattern, bytes) else pattern
        deadline = time.monotonic() + TIMEOUT
        while (match := wanted.search(self.output)) is None:
            assert self._read(deadline), f"ended without {wanted.pattern!r}: {self.output!r}"
        self.output = self.output[match.end() :]
        return match

    def end(self) -> tuple[bytes, int]:
        """The rest of the output, and the exit status as a shell reports it."""
        deadline = time.monotonic() + TIMEOUT
        while self._read(deadline):
            pass
        status = self._shell.wait(TIMEOUT)
        return self.output, status if status >= 0 else 128 - status

    def _read(self, deadline: float) -> bool:
        assert select.select([self._near], [], [], max(0.0, deadline - time.monotonic()))[0], f"stuck: {self.output!r}"
        try:
            data = os.read(self._near, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            return False
        self.output += data
        return bool(data)


def terminal(
    shell: str, script: Script, environ: Mapping[str, str] | None = None, before: Sequence[str] = ()
) -> Terminal:
    """Start the script on a pty. `before` is a command that gets all this as its arguments."""
    started = Terminal(as_bin_sh(shell, bootstrap(NONCE, pty=True, login=False)), environ, before)
    started.start(script)
    return started
