"""The lifeline: signals for process groups on the target, and their end when the link goes. PROTOCOL.md, section 2."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from rdo.errors import LinkLost
from rdo.script import LIFELINE
from rdo.shell import Shell


class Lifeline:
    """Orders to one more shell on the same connection. With no shell it does nothing: the command comes first."""

    def __init__(self, shell: Shell | None) -> None:
        self._shell = shell
        self._lock = threading.Lock()
        if shell is not None:
            shell.channel.write(LIFELINE.encode() + b"\n")

    @property
    def ended(self) -> bool:
        """Whether there was a shell, and it is gone: somebody killed it, or its channel was cut apart from the rest."""
        return self._shell is not None and self._shell.channel.ended

    def update(self, dropped: Iterable[int], added: Iterable[int]) -> None:
        """From now on leave the ones alone, and then end the others when the link goes."""
        orders = [*(f"drop {group}" for group in dropped), *(f"add {group}" for group in added)]
        if orders:
            self._order("\n".join(orders))

    def signal(self, group: int, name: str) -> bool:
        """Send the signal (a name without SIG) to the group. False if there is nobody to do that."""
        return self._order(f"kill {group} {name}")

    def close(self) -> None:
        """End it: what is still listed ends too."""
        with self._lock:
            shell, self._shell = self._shell, None
        if shell is not None:
            shell.channel.close()

    def _order(self, line: str) -> bool:
        with self._lock:
            if self._shell is None or self._shell.channel.ended:
                return False
            try:
                self._shell.channel.write(line.encode() + b"\n")
            except LinkLost:
                self._shell = None  # the target's end of it does what is to be done
            return self._shell is not None
