"""A program on a real terminal: keys in, what it shows out."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT = 30.0
"""Seconds for something to appear, on a machine that does much else too."""


LINE_START = r"(?:[\r\n]|\x1b\[K)"
"""What precedes a line of output: the end of another one, or a progress line that was erased, as on a slow machine."""


class Terminal:
    """A program in a session of its own, its terminal ours to type on."""

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        size: tuple[int, int] = (30, 100),
        is_controlling: bool = True,
    ) -> None:
        """`size` is rows and columns. `is_controlling`: the terminal is the session's, which it is not for each program
        that opens one and starts another there.
        """
        self.near, far = pty.openpty()
        self.resize(*size)
        session = ["setsid", *(["--ctty"] if is_controlling else []), "--wait"]
        self._process = subprocess.Popen(
            [*session, *command], stdin=far, stdout=far, stderr=far, cwd=cwd, env=dict(environment)
        )
        os.close(far)
        self.seen = ""

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.hang_up()
        try:
            self._process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            raise

    def hang_up(self) -> None:
        """Close the terminal, whoever still uses it."""
        near, self.near = self.near, -1
        if near >= 0:
            os.close(near)

    def has_ended(self) -> bool:
        """Whether the program has."""
        return self._process.poll() is not None

    def status(self) -> int:
        """The program's exit status, once it has ended."""
        return self._process.wait(TIMEOUT)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size; the foreground job gets SIGWINCH."""
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.near, text.encode())

    def line(self, text: str) -> None:
        """Type a line."""
        self.type(text + "\r")

    def prompt(self) -> None:
        """Wait for the shell's prompt: what is typed before it may be taken by the command that just ends.

        To one that is as wide as the terminal, readline adds a space and the way back: then the next line is current.
        """
        self.match(r"[$#] (?: \r)?$")

    def expect(self, text: str) -> str:
        """Wait until the text appears; give all that was shown up to its end, and forget that."""
        return self.match(re.escape(text)).string

    def match(self, pattern: str) -> re.Match[str]:
        """Wait until something matches; forget all up to its end. `string` is what was shown up to there."""
        found = self._find(pattern, TIMEOUT)
        assert found, f"{pattern!r} did not appear in {self.seen!r}"
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        again = re.search(pattern, shown)
        assert again
        return again

    def shows(self, pattern: str, timeout: float) -> bool:
        """Whether something matches within so many seconds; forget nothing."""
        return self._find(pattern, timeout) is not None

    def _find(self, pattern: str, timeout: float) -> re.Match[str] | None:
        deadline = time.monotonic() + timeout
        while not (found := re.search(pattern, self.seen)):
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                return None
        return found

    def _read(self, timeout: float) -> bool:
        if not select.select([self.near], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self.near, 65536)
        except OSError:
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)
