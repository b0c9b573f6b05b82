"""Connections that the target makes to servers, or somebody there to us: part of the interface of drivers.base."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rdo.config.forwards import Endpoint

Sink = Callable[[int, bytes | memoryview], bool]
"""Takes output of a stream, if it can without waiting: whether it did. Never raises."""


HANDING_ON = threading.Lock()
"""Held by a driver while it gives pieces to several sinks, one after another. Who reads what others answer waits until
all have theirs: else each call to the system would hand the interpreter to the other thread, which costs more than all
that is done for a piece.
"""


class TargetStream(Protocol):
    """A connection that the target makes to a server, as bytes both ways. For one thread, which never waits for it.

    Whoever opens it gives a `sink` and `changed`. Data goes to the sink as it comes, from whatever thread, once `read`
    has found nothing and until the sink takes no more. `changed` is called, from any thread, when there is something to
    do: to read, to write what had no room, or to close it because it has ended.
    """

    def fileno(self) -> int:
        """What to wait for in its place where neither sink nor `changed` is called; else -1."""

    @property
    def is_open(self) -> bool:
        """Whether the server is known to have been reached: `changed` is called then, too."""

    @property
    def ended(self) -> bool:
        """Whether nothing more can be written, and nothing more will come than can be read at once."""

    @property
    def failure(self) -> str:
        """Why it could not be opened, or broke; empty while it is open and where it came to its end."""

    def write(self, data: memoryview) -> int:
        """Send what there is room for: how many bytes. All of it, and in vain, where the server takes no more.

        It may be held back until `flush`.
        """

    def flush(self) -> None:
        """Have all go out that was written."""

    def read(self) -> bytes | memoryview | None:
        """What has come: empty for nothing yet, None at the end."""

    def end_input(self) -> bool:
        """No more will be written; data may still come. False where there is no room to say so yet."""

    def close(self) -> None:
        """Give it up. The sink is not called any more."""


class IncomingStream(TargetStream, Protocol):
    """A connection that somebody there made to a port on which the target listens for us. What comes waits for `begin`.

    It has to be closed, also if nobody begins with it.
    """

    def begin(self, sink: Sink, changed: Callable[[], None]) -> None:
        """Take it: see TargetStream."""


class RemoteListener(Protocol):
    """A port, or a Unix socket, on which the target listens for us. Usable from any thread."""

    @property
    def endpoint(self) -> Endpoint:
        """Where, with the port if the target has chosen it."""

    @property
    def ended(self) -> bool:
        """Whether it listens no more, as the connection was lost or closed."""

    def close(self) -> None:
        """Listen no more. Connections that are open go on."""
