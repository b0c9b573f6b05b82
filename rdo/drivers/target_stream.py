"""Connections that the target makes to servers, and connections that programs on the target make to this machine.

This is part of the driver interface; see drivers.base.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rdo.config.forwards import Endpoint

Sink = Callable[[int, bytes | memoryview], bool]
"""Takes a piece of a stream's output if it can do so without waiting, and returns whether it did. Never raises."""


def refuse_data(stream: int, data: bytes | memoryview) -> bool:
    """The Sink of a stream whose output has to wait."""
    return False


DELIVERY_LOCK = threading.Lock()
"""Held by a driver while it hands pieces of output to several sinks in a row. A thread that reads the answers to them
waits until every sink has its piece: otherwise each system call would switch the interpreter to that thread, which
costs more than handling the piece itself."""


class TargetStream(Protocol):
    """A connection that the target makes to a server, as a stream of bytes in both directions. Non-blocking, and used
    by one thread.

    Whoever opens the stream passes a `sink` and a `changed` callback. After `read` has found nothing, data goes
    straight to the sink as it arrives, from whichever thread received it, until the sink accepts no more. `changed` is
    called, from any thread, when there is something to do: read, write what there was no room for, or close the stream
    because it has ended.
    """

    def fileno(self) -> int:
        """The descriptor to wait on, for a stream that calls neither the sink nor `changed`; -1 for one that does."""

    @property
    def is_open(self) -> bool:
        """Whether the server is known to have been reached. `changed` is called when that happens, too."""

    @property
    def ended(self) -> bool:
        """Whether nothing more can be written, and nothing will arrive beyond what can be read at once."""

    @property
    def failure(self) -> str:
        """Why the stream could not be opened, or broke; empty while it is open and after a regular end."""

    def write(self, data: memoryview) -> int:
        """Send as much as there is room for, and return the number of bytes. If the server accepts no more data, all of
        it is discarded and counted as sent.

        Data may be held back until `flush`.
        """

    def flush(self) -> None:
        """Send everything that was held back."""

    def read(self) -> bytes | memoryview | None:
        """Return what has arrived: empty if nothing has yet, None at the end."""

    def end_input(self) -> bool:
        """Announce that no more will be written; data may still arrive. Returns False if there is no room to say so
        yet."""

    def close(self) -> None:
        """Close the stream. The sink is not called again."""


class IncomingStream(TargetStream, Protocol):
    """A connection that a program on the target made to a port on which the target listens for rdo. Its data waits
    until `begin`.

    It must be closed, even if `begin` is never called.
    """

    def begin(self, sink: Sink, changed: Callable[[], None]) -> None:
        """Start using the connection; the arguments are as for TargetStream."""


class RemoteListener(Protocol):
    """A port or Unix socket on which the target listens for rdo. Thread-safe."""

    @property
    def endpoint(self) -> Endpoint:
        """The address, with the port number if the target chose it."""

    @property
    def ended(self) -> bool:
        """Whether the target has stopped listening because the connection was lost or closed."""

    def close(self) -> None:
        """Stop listening. Connections that are open continue."""
