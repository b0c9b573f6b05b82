"""The channels of an SSH connection by our numbers for them, which the server's messages contain; and the channels that
the server requests."""

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
"""The type of a channel to our SSH agent, as the server names it."""


class ChannelHandler(Protocol):
    """What a connection needs of a channel."""

    number: int
    """Our number of the channel, which the table sets."""
    window: int
    """Bytes that may arrive for the channel before they are read."""

    def adopt(self, opened: RemoteEnd) -> None:
        """Note the server's end of a channel that the server has requested."""

    def receive(self, kind: int, body: Body) -> None:
        """Handle a message for this channel: its number, and what follows the channel's number; for data, just the
        data."""

    def give_up(self, why: str) -> None:
        """End the channel because of an error in rdo, since what arrived is incomplete."""

    def lose(self) -> None:
        """Note that the link has ended."""


Acceptor = Callable[[Body], ChannelHandler | None]
"""Returns our end of a channel that the server requests with these details, or None to refuse it."""


class ChannelTable:
    """The channels of a connection. Thread-safe. Keeps nothing of a channel that is gone."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards the numbering; looking up and dropping are single steps of a dict
        self._channels: dict[int, ChannelHandler] = {}
        self._next = 0
        self._acceptors: dict[bytes, Acceptor] = {}

    def __len__(self) -> int:
        return len(self._channels)

    def add(self, channel: ChannelHandler) -> None:
        """Add a channel, and give it a number."""
        with self._lock:
            channel.number, self._next = self._next, self._next + 1
            self._channels[channel.number] = channel

    def take_streams(self, purpose: bytes, accept: Acceptor) -> None:
        """Allow the server to open channels of that type."""
        self._acceptors[purpose] = accept

    def answer(self, body: Body, send: Callable[[EncodedMessage], None]) -> None:
        """Answer the server's request for a channel, through `send`. Raises what that raises; Violation."""
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
        """Pass a message to its channel. Returns False if there never was one of that number."""
        channel = self._channels.get(number)
        if channel is None:
            return number < self._next  # the channel was dropped, and so is the message
        try:
            channel.receive(kind, body)
        except Exception as error:
            if not is_unforeseen(error):
                raise
            log.crash(error)  # it ends this channel, and not everything that runs over the connection
            channel.give_up(f"internal error in the control master: {log.words(error)}")
        return True

    def lose(self) -> None:
        """Tell all channels that the connection has ended."""
        for channel in list(self._channels.values()):
            with log.contained():
                channel.lose()
