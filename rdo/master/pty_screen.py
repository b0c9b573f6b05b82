"""Tracks the screen of a command's pty, as far as rdo needs that to insert a line of its own. Pure."""

from __future__ import annotations

import re

SWITCH = re.compile(rb"\x1b\[\?(?:\d+;)*(?:47|1047|1049)(?:;\d+)*([hl])")
"""Sequences that switch to the alternate screen, which editors, pagers and tmux use, and back (xterm's control
sequences; smcup and rmcup in terminfo). A program may set several modes at once."""

SEQUENCE_LIMIT = 32
"""Bytes of such a sequence, which may be split between two pieces of output."""


class PtyScreen:
    """The screen of one command."""

    def __init__(self) -> None:
        self._rest = b""
        self._last = b"\n"
        self.is_drawn_on = False
        """Whether a program is using the whole screen, which a line in between would garble."""

    def line(self, text: str) -> str:
        """The bytes that show a line of its own, which ends with a newline."""
        start = "" if self._last in b"\r\n" else "\r\n"
        self._last = b"\n"
        return start + text

    def show(self, data: bytes | memoryview) -> bool:
        """Note that this output, which is not empty, is shown, and return whether it has changed `is_drawn_on`."""
        before = self.is_drawn_on
        shown = self._rest + bytes(data)
        for switch in SWITCH.finditer(shown):
            self.is_drawn_on = switch[1] == b"h"
        escape = shown.rfind(b"\x1b", -SEQUENCE_LIMIT)
        self._rest = shown[escape:] if escape >= 0 else b""
        self._last = shown[-1:]
        return self.is_drawn_on != before
