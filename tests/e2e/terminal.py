"""A program on a real terminal: keys, and its output."""

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
"""Seconds for something to appear, on a busy machine."""


LINE_START = r"(?:[\r\n]|\x1b\[K)"
"""What precedes a line of output: the end of another one, or an erased progress line, as on a slow machine."""


class Terminal:
    """A program in its own session, with a terminal whose other end belongs to the test."""

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        size: tuple[int, int] = (30, 100),
        is_controlling: bool = True,
    ) -> None:
        """`size` is rows and columns. `is_controlling`: whether the terminal is the session's controlling one, which it
        is not for programs that open one and start another program on it.
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
        """Whether the program has ended."""
        return self._process.poll() is not None

    def status(self) -> int:
        """The program's exit status when it has ended."""
        return self._process.wait(TIMEOUT)

    def resize(self, rows: int, columns: int) -> None:
        """Change the window's size. The foreground job gets SIGWINCH."""
        fcntl.ioctl(self.near, termios.TIOCSWINSZ, struct.pack("4H", rows, columns, 0, 0))

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.near, text.encode())

    def line(self, text: str) -> None:
        """Type a line."""
        self.type(text + "\r")

    def prompt(self) -> None:
        """Wait for the shell's prompt, because a command that is just ending may read what is typed before it.

        If the prompt is as wide as the terminal, readline adds a space and a carriage return, so that the next line is
        the current one.
        """
        self.match(r"[$#] (?: \r)?$")

    def expect(self, text: str) -> str:
        """Wait until the text appears. Returns everything up to its end, and drops that."""
        return self.match(re.escape(text)).string

    def match(self, pattern: str) -> re.Match[str]:
        """Wait until something matches, and drop everything up to its end. `string` of the match is everything up to
        there.
        """
        found = self._find(pattern, TIMEOUT)
        assert found, f"{pattern!r} did not appear in {self.seen!r}"
        shown, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        again = re.search(pattern, shown)
        assert again
        return again

    def shows(self, pattern: str, timeout: float) -> bool:
        """Whether something matches within this many seconds. Drops nothing."""
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
