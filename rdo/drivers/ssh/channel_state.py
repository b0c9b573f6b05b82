"""The states of an SSH channel and the events that change them (RFC 4254, section 5), in one table. Pure.

What the server may still send is tracked in rdo.drivers.ssh.flow_control.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class ChannelState(Enum):
    """The state of a channel, as seen from our end."""

    __hash__ = object.__hash__
    """Each message looks up a state, and Enum's own hash is that of its name, which is slower."""

    OPENING = "asked for, and the server has not answered"
    ABANDONED = "given up before the server answered: closed as soon as it opens"
    OPEN = "open both ways"
    EOF_SENT = "no more input goes out; output may come"
    CLOSE_SENT = "given up: nothing more goes out"
    CLOSED = "closed by both sides"
    REFUSED = "the server does not open it"
    LOST = "the connection has ended"


class ChannelEvent(Enum):
    """An event in a channel, caused by us or by the server."""

    OPENED = "the server opens it"
    REFUSED = "the server does not open it"
    SEND_EOF = "we end the input"
    SEND_CLOSE = "we close it"
    CLOSED = "the server closes it, after our close: whoever is second answers at once"
    LOST = "the connection ends"


TRANSITIONS: Mapping[ChannelState, Mapping[ChannelEvent, ChannelState]] = {
    ChannelState.OPENING: {
        ChannelEvent.OPENED: ChannelState.OPEN,
        ChannelEvent.REFUSED: ChannelState.REFUSED,
        ChannelEvent.SEND_CLOSE: ChannelState.ABANDONED,
        ChannelEvent.LOST: ChannelState.LOST,
    },
    ChannelState.ABANDONED: {
        ChannelEvent.OPENED: ChannelState.CLOSE_SENT,
        ChannelEvent.REFUSED: ChannelState.REFUSED,
        ChannelEvent.LOST: ChannelState.LOST,
    },
    ChannelState.OPEN: {
        ChannelEvent.SEND_EOF: ChannelState.EOF_SENT,
        ChannelEvent.SEND_CLOSE: ChannelState.CLOSE_SENT,
        ChannelEvent.LOST: ChannelState.LOST,
    },
    ChannelState.EOF_SENT: {
        ChannelEvent.SEND_CLOSE: ChannelState.CLOSE_SENT,
        ChannelEvent.LOST: ChannelState.LOST,
    },
    ChannelState.CLOSE_SENT: {
        ChannelEvent.CLOSED: ChannelState.CLOSED,
        ChannelEvent.LOST: ChannelState.LOST,
    },
    ChannelState.CLOSED: {},
    ChannelState.REFUSED: {},
    ChannelState.LOST: {},
}
"""An event that is not listed for a state has no effect in it: a channel may be closed twice, or lost once closed."""

UNANSWERED = (ChannelState.OPENING, ChannelState.ABANDONED)
"""States in which the server's answer to our request for the channel must come first, and only once."""

TAKES_INPUT = (ChannelState.OPENING, ChannelState.OPEN)

USABLE = (ChannelState.OPENING, ChannelState.OPEN, ChannelState.EOF_SENT)
"""States in which neither side has closed the channel."""

FINAL = tuple(state for state, after in TRANSITIONS.items() if not after)
"""States after which nothing happens."""

SILENT = (ChannelState.CLOSE_SENT, ChannelState.CLOSED)
"""States in which nothing may be sent: after a message that follows the close, sshd ends the whole connection."""
