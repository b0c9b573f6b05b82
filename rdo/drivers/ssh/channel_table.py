"""The channels of one SSH connection by our numbers for them, which the server's messages carry; and those that the
server asks for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from rdo.drivers.base import READ_SIZE
from rdo.drivers.ssh import messages
from rdo.drivers.ssh.break_words import is_unforeseen
from rdo.drivers.ssh.fields import Body
from rdo.drivers.ssh.messages import EncodedMessage, RemoteEnd
from rdo.util import log

AGENT_STREAM = b"auth-agent@openssh.com"
"""What the server calls a channel to our SSH agent."""


class ChannelHandler(Protocol):
    """What a connection expects of a channel."""

    number: int
    """Ours, which it is given."""
    window: int
    """Bytes that may come for it before they are read."""

    def adopt(self, opened: RemoteEnd) -> None:
        """The far end, of a channel that the server has asked for."""

    def receive(self, kind: int, body: Body) -> None:
        """Take a message for this channel: its number, and what follows the channel's; of data, nothing else."""

    def give_up(self, why: str) -> None:
        """A fault of ours ends it: what came is not whole."""

    def lose(self) -> None:
        """The link has ended."""


Acceptor = Callable[[Body], ChannelHandler | None]
"""The near end of a channel that the server asks for, of which it says that; None to refuse it."""


class ChannelTable:
    """Usable from any thread. Nothing is kept of a channel that is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the numbering; to look up and to drop are single steps of a dict
        self._channels: dict[int, ChannelHandler] = {}
        self._next = 0
        self._acceptors: dict[bytes, Acceptor] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def add(self, channel: ChannelHandler) -> None:
        """Number a channel."""
        with self._lock:
            channel.number, self._next = self._next, self._next + 1
            self._channels[channel.number] = channel

    def take_streams(self, purpose: bytes, accept: Acceptor) -> None:
        """Let the server open channels of that type."""
        self._acceptors[purpose] = accept

    def answer(self, body: Body, send: Callable[[EncodedMessage], None]) -> None:
        """The server asks for a channel: open or refuse it, and say so by `send`. Raises what that does; Violation."""
        purpose, remote, details = messages.opening(body)
        accept = self._acceptors.get(purpose)
        channel = accept(details) if accept else None
        if channel is None:
            send(messages.refuse(remote.number))
            return
        self.add(channel)
        send(messages.confirm(remote.number, channel.number, channel.window, READ_SIZE))
        channel.adopt(remote)

    def drop(self, number: int) -> None:
        """Forget a channel that both sides have closed."""
        self._channels.pop(number, None)

    def hand(self, kind: int, number: int, body: Body) -> bool:
        """Give a channel a message. False if there is none of that number, and there never was."""
        channel = self._channels.get(number)
        if channel is None:
            return number < self._next  # one that was dropped: so is this
        try:
            channel.receive(kind, body)
        except Exception as error:
            if not is_unforeseen(error):
                raise
            log.crash(error)  # it ends what meets it, and not all that runs over the connection
            channel.give_up(f"internal error in the control master: {log.words(error)}")
        return True

    def lose(self) -> None:
        """Tell all that the connection has ended."""
        for channel in list(self._channels.values()):
            with log.contained():
                channel.lose()
