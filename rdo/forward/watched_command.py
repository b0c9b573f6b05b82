"""A command whose ports are forwarded automatically, as far as the port watch needs to know it."""

from __future__ import annotations

from collections.abc import Callable

from rdo.drivers.base import Channel
from rdo.pool.connection import HeldConnection


class WatchedCommand:
    """One command. Both the watching thread and the one that handles output change its attributes."""

    def __init__(
        self,
        shell: int,
        connection: HeldConnection,
        channel: Channel,
        say: Callable[[str], bool],
        trace: Callable[[str], None],
    ) -> None:
        """`shell` is the process id of its shell on the target.

        `say` shows a line on its terminal, and returns False if that is not possible now. `trace` shows a line if the
        user asked for details.
        """
        self.shell = shell
        self.connection = connection
        self._channel = channel
        self.say = say
        self.trace = trace
        self.named: set[int] = set()
        """Ports that its output has named."""
        self.shown: set[str] = set()
        """Lines that were shown, so that a server which restarts is not reported again."""

    @property
    def has_ended(self) -> bool:
        """Whether the command is known to have ended, so that it will not listen any more."""
        return self._channel.ended

    def show(self, line: str) -> None:
        """Show the line, once; later, if an editor is using the screen."""
        if line not in self.shown and self.say(line):
            self.shown.add(line)
