"""What a command's output has made of the screen of its pty, as far as a line of rdo's own has to know. Pure."""

from __future__ import annotations

import re

SWITCH = re.compile(rb"\x1b\[\?(?:\d+;)*(?:47|1047|1049)(?:;\d+)*([hl])")
"""To the alternate screen, on which editors, pagers and tmux draw, and back (xterm's control sequences; smcup and rmcup
in terminfo). A program may set several modes at a time."""

SEQUENCE_LIMIT = 32
"""Bytes of such a sequence, which may come in two pieces."""


class PtyScreen:
    """The screen of one command."""

    def __init__(self) -> None:
        self._rest = b""
        self._last = b"\n"
        self.is_drawn_on = False
        """Whether a program has the whole screen, so that a line in between would destroy what it shows."""

    def line(self, text: str) -> str:
        """What to show for a line that is to stand on its own, and that ends with a newline."""
        start = "" if self._last in b"\r\n" else "\r\n"
        self._last = b"\n"
        return start + text

    def show(self, data: bytes | memoryview) -> bool:
        """This output is shown; it is never empty. Whether it has changed `is_drawn_on`."""
        before = self.is_drawn_on
        shown = self._rest + bytes(data)
        for switch in SWITCH.finditer(shown):
            self.is_drawn_on = switch[1] == b"h"
        escape = shown.rfind(b"\x1b", -SEQUENCE_LIMIT)
        self._rest = shown[escape:] if escape >= 0 else b""
        self._last = shown[-1:]
        return self.is_drawn_on != before
