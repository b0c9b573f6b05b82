"""What a person sees: a program on a terminal that tmux draws, with all that scrolled off it."""

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

PATIENCE = 30.0
"""Seconds for something to appear, on a machine that does much else too."""


class Cursor(NamedTuple):
    """Where the cursor is, from the upper left corner."""

    column: int
    row: int


class Screen:
    """A shell on a screen of 80 columns and 20 rows, of a tmux of its own."""

    def __init__(self, cwd: Path, environment: Mapping[str, str], variables: Mapping[str, str] | None = None) -> None:
        """`variables` are set in the shell, where tmux would set its own: TERM, first of all."""
        self._directory = Path(tempfile.mkdtemp(prefix="rdo-tmux-", dir="/tmp"))
        self._environment = dict(environment)
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in (variables or {}).items())
        shell = f"env PS1='$ ' {settings} bash --norc --noediting -i"
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "20", "-c", str(cwd), shell)

    def __enter__(self) -> Screen:
        self.wait_for(lambda shown: shown == "$")
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        shutil.rmtree(self._directory)

    def type(self, *keys: str) -> None:
        """Press keys, by tmux's names for them: `Enter`, `C-c`."""
        self._tmux("send-keys", *keys)

    def paste(self, text: str) -> None:
        """Paste text, in brackets where the program asked for that."""
        self._tmux("set-buffer", text)
        self._tmux("paste-buffer", "-p")

    def resize(self, columns: int, rows: int) -> None:
        """Change the window's size, and wait until the terminal has it.

        tmux draws with the new size at once. The terminal gets it up to a quarter of a second later if it got another
        one just before; by then the next program may run there, and would draw its screen again.
        """
        self._tmux("resize-window", "-x", str(columns), "-y", str(rows))
        assert wait_until(lambda: self._terminal_size == (columns, rows), PATIENCE)

    @property
    def _terminal_size(self) -> tuple[int, int]:
        fd = os.open(self._tmux("display-message", "-p", "#{pane_tty}").strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            return os.get_terminal_size(fd)
        finally:
            os.close(fd)

    @property
    def visible(self) -> str:
        """The lines on the screen now, without what is empty at the end."""
        return self._tmux("capture-pane", "-p").rstrip("\n")

    @property
    def shown(self) -> str:
        """All lines, those that scrolled off too, without what is empty at the end."""
        return self._tmux("capture-pane", "-p", "-S", "-").rstrip("\n")

    @property
    def view(self) -> tuple[str, Cursor]:
        """Both at once, as often as it takes to see the screen come to what is expected."""
        shown = self._tmux("capture-pane", "-p", ";", "display-message", "-p", "#{cursor_x} #{cursor_y}")
        visible, _, place = shown.rstrip("\n").rpartition("\n")
        return visible.rstrip("\n"), Cursor(*map(int, place.split()))

    @property
    def cursor(self) -> Cursor:
        """Where it is now."""
        return self.view[1]

    def wait_for(self, condition: Callable[[str], object]) -> str:
        """Wait until what is shown meets the condition; give that."""
        seen: list[str] = []
        found = wait_until(lambda: seen.append(self.shown) or condition(seen[-1]), PATIENCE)
        assert found, f"it did not come:\n{seen[-1]}"
        return seen[-1]

    def expect(self, text: str) -> str:
        """Wait until the text is shown."""
        return self.wait_for(lambda shown: text in shown)

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", str(self._directory / "socket"), *words]
        return subprocess.run(command, env=self._environment, check=True, capture_output=True, text=True).stdout
