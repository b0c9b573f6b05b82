"""A command whose ports are to be here, as far as these have to know it."""

from __future__ import annotations

from collections.abc import Callable

from rdo.drivers.base import Channel
from rdo.pool.connection import HeldConnection


class WatchedCommand:
    """One command. Its attributes are changed by the thread that watches, and by the one with the output."""

    def __init__(
        self,
        shell: int,
        connection: HeldConnection,
        channel: Channel,
        say: Callable[[str], bool],
        trace: Callable[[str], None],
    ) -> None:
        """`shell` is its process on the target.

        `say` shows a line on its terminal: whether it can be shown now, if at all. `trace` shows one to who asked for
        more.
        """
        self.shell = shell
        self.connection = connection
        self._channel = channel
        self.say = say
        self.trace = trace
        self.named: set[int] = set()
        """Ports that stood in its output."""
        self.shown: set[str] = set()
        """Lines that were shown: a server that starts again says nothing new."""

    @property
    def has_ended(self) -> bool:
        """Whether it is known to have ended: then nothing of it will listen."""
        return self._channel.ended

    def show(self, line: str) -> None:
        """Show the line, once: later, if an editor has the screen."""
        if line not in self.shown and self.say(line):
            self.shown.add(line)
