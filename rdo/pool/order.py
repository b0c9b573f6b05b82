"""Orders for the lifeline's shell, one per line. Pure. See PROTOCOL.md, section 3."""

from __future__ import annotations

from rdo.pool.shell import ProcessGroup


class Order:
    """A line for the lifeline's shell."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.reached: bool | None = None
        """The answer to an order to send a signal, once it has arrived: whether there was a process to send it to."""

    @property
    def is_answered(self) -> bool:
        """Whether the shell answers orders of this kind."""
        return self.line.startswith("kill ")


def kill(group: ProcessGroup, name: str) -> Order:
    """Send the signal (a name without SIG, or 0) to the group."""
    return Order(f"kill {group.number} {name} {group.shell}")


def know(group: ProcessGroup) -> Order:
    """Record the group while its leader is running."""
    return Order(f"know {group.number} {group.shell}")


def drop(group: ProcessGroup) -> Order:
    """Stop guarding the group."""
    return Order(f"drop {group.number}")


def add(group: ProcessGroup) -> Order:
    """End the group if the connection is lost."""
    return Order(f"add {group.number} {group.shell}")
