"""What a person sees: a program on a terminal that tmux draws, with everything that scrolled off it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from tests.leaks import wait_until

TIMEOUT = 30.0
"""Seconds for something to appear, on a busy machine."""


class Cursor(NamedTuple):
    """The position of the cursor, from the upper left corner."""

    column: int
    row: int


class Screen:
    """A shell on a screen of 80 columns and 20 rows, in its own tmux."""

    def __init__(self, cwd: Path, environment: Mapping[str, str], variables: Mapping[str, str] | None = None) -> None:
        """`variables` are set in the shell, because tmux would set its own, such as TERM."""
        self._directory = Path(tempfile.mkdtemp(prefix="rdo-tmux-", dir="/tmp"))
        self._environment = dict(environment)
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in (variables or {}).items())
        shell = f"env PS1='$ ' {settings} bash --norc --noediting -i"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "20", "-c", str(cwd), shell)
        self._client = subprocess.Popen(
            [*self._command, "-C", "attach-session", "-f", "no-output,ignore-size"],
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        """Asks what is shown, in tmux's control mode: a program for each request would take most of a test's time."""
        self._answer()  # to the command that attached it

    def __enter__(self) -> Screen:
        self.wait_for(lambda shown: shown == "$")
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        self._client.communicate()
        shutil.rmtree(self._directory)

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names for them: `Enter`, `C-c`."""
        self._ask(shlex.join(["send-keys", *keys]))

    def paste(self, text: str) -> None:
        """Paste text, in brackets if the program asked for bracketed paste."""
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, and wait until the terminal has it.

        tmux draws with the new size at once. If the terminal got another one just before, it gets the new size up to a
        quarter of a second later. By then, the next program may run there, and would redraw its screen.
        """
        self._ask(f"resize-window -x {columns} -y {rows}")
        assert wait_until(lambda: self._terminal_size == (columns, rows), TIMEOUT)

    @property
    def _terminal_size(self) -> tuple[int, int]:
        fd = os.open(self._ask("display-message -p '#{pane_tty}'").strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.get_terminal_size(fd)
        finally:
            os.close(fd)

    @property
    def visible(self) -> str:
        """The lines on the screen now, without empty ones at the end."""
        return self._ask("capture-pane -p").rstrip("\n")

    @property
    def shown(self) -> str:
        """All lines, including those that scrolled off, without empty ones at the end."""
        return self._ask("capture-pane -p -S -").rstrip("\n")

    @property
    def view(self) -> tuple[str, Cursor]:
        """Both of them, for tests that compare them repeatedly until they are as expected."""
        visible = self._ask("capture-pane -p ; display-message -p '#{cursor_x} #{cursor_y}'")
        return visible.rstrip("\n"), Cursor(*map(int, self._answer().split()))

    @property
    def cursor(self) -> Cursor:
        """Its current position."""
        return self.view[1]

    def wait_for(self, condition: Callable[[str], object]) -> str:
        """Wait until what is shown meets the condition, and return it."""
        seen: list[str] = []
        found = wait_until(lambda: seen.append(self.shown) or condition(seen[-1]), TIMEOUT)
        assert found, f"it did not come:\n{seen[-1]}"
        return seen[-1]

    def expect(self, text: str) -> str:
        """Wait until the text is shown."""
        return self.wait_for(lambda shown: text in shown)

    def _ask(self, command: str) -> str:
        """The output of a command of tmux."""
        assert self._client.stdin
        self._client.stdin.write(command + "\n")
        self._client.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        """The output of the next command, which is between two marker lines. Everything else is skipped."""
        assert self._client.stdout
        lines: list[str] | None = None
        for line in self._client.stdout:
            if lines is None:
                lines = [] if line.startswith("%begin ") else None
            elif line.startswith(("%end ", "%error ")):
                return "".join(lines)
            else:
                lines.append(line)
        raise AssertionError("tmux has ended")

    @property
    def _command(self) -> list[str]:
        return ["tmux", "-S", str(self._directory / "socket")]

    def _tmux(self, *words: str) -> None:
        subprocess.run([*self._command, *words], env=self._environment, check=True, capture_output=True)
