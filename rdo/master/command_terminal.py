"""The caller's terminal while a command is using it: for rdo's own lines, and for questions.

While a question is open, the command's output is held back, so that no other text appears below the question or scrolls
it off the screen.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from rdo.ipc import protocol
from rdo.master import typed_answer
from rdo.master.client_connection import ClientConnection
from rdo.master.output_pump import OutputPump
from rdo.util import charset

KEY_GRACE = 0.5
"""Seconds in which input still goes to the command, since nobody has read the question yet."""

QUESTION_TIMEOUT = 30.0
"""Seconds after which no answer counts as a no, and the command's output continues."""


class CommandTerminal:
    """The terminal of one command. `environment` is the caller's."""

    def __init__(
        self,
        client: ClientConnection,
        environment: Mapping[str, str],
        output: OutputPump,
        redraw: Callable[[], object],
        *,
        can_ask: bool,
    ) -> None:
        """`redraw` makes the command's programs redraw their screen. `can_ask`: there is somebody who sees the question
        and can type."""
        self._client = client
        self._environment = environment
        self._output = output
        self._redraw = redraw
        self.can_ask = can_ask
        self._changed = threading.Condition()
        """Guards the question and its answer."""
        self._asked_at: float | None = None
        """The time since which a question has been open."""
        self._answer: bool | None = None
        self._over = False

    def show(self, line: str) -> None:
        """Show a line, which must be free of control characters. Raises ClientGone."""
        text = charset.escaped_for_terminal(line, self._environment)
        if self._output.screen is not None:
            text = self._output.screen.line(text)
        self._client.send(protocol.NOTICE, text.encode("utf-8", "replace"))

    def ask(self, question: str, shown: Callable[[bool | None], str]) -> bool:
        """Ask a question, and return whether the answer is a yes. `shown` returns the line to show for an answer, which
        is None if there was none.

        Raises ClientGone, and what `shown` raises.
        """
        self._output.may_show.clear()
        try:
            self.show(question)
            answer = self._await_answer()
            self.show(shown(answer))
        finally:
            self._output.may_show.set()
            if self._output.screen is not None and self._output.screen.is_drawn_on:
                self._redraw()
        return bool(answer)

    def _await_answer(self) -> bool | None:
        with self._changed:
            self._answer, self._asked_at = None, time.monotonic()
            self._changed.wait_for(lambda: self._answer is not None or self._over, QUESTION_TIMEOUT)
            self._asked_at, answer = None, self._answer
        return answer

    def take_input(self, typed: bytes) -> bytes:
        """Take an answer from what was typed, and return what is for the command."""
        with self._changed:
            if self._asked_at is None or time.monotonic() < self._asked_at + KEY_GRACE:
                return typed
            answer = typed_answer.read(typed)
            if answer is None:
                return typed
            self._settle(is_yes=answer.is_yes)
            return typed if answer.is_for_command else b""

    def notice(self, kind: bytes, payload: bytes) -> None:
        """Handle a client's frame. A signal or the end of input answers an open question with a no."""
        if kind == protocol.END:
            self.can_ask = False
        if kind == protocol.WINDOW or payload == b"WINCH":
            return
        with self._changed:
            if self._asked_at is not None:
                self._settle(is_yes=False)

    def close(self) -> None:
        """Close an open question, since the command has ended."""
        with self._changed:
            self._over = True
            self._changed.notify_all()

    def _settle(self, *, is_yes: bool) -> None:
        self._answer, self._asked_at = is_yes, None
        self._changed.notify_all()
