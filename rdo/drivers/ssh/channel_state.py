"""What may happen to an SSH channel, and when (RFC 4254, section 5): one table. Pure.

What the server still has to send is not part of it: see rdo.drivers.ssh.flow_control.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class ChannelState(Enum):
    """Where a channel stands, seen from our end."""

    __hash__ = object.__hash__
    """Each message is looked up by it, and that of Enum is the hash of a name."""

    OPENING = "asked for, and the server has not answered"
    ABANDONED = "given up before the server answered: closed as soon as it opens"
    OPEN = "open both ways"
    EOF_SENT = "no more input goes out; output may come"
    CLOSE_SENT = "given up: nothing more goes out"
    CLOSED = "closed by both sides"
    REFUSED = "the server does not open it"
    LOST = "the connection has ended"


class ChannelEvent(Enum):
    """What happens to a channel: by our doing, or by the server's."""

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
"""An event that a state does not list has no effect in it: a channel may be closed twice, or lost once closed."""

UNANSWERED = (ChannelState.OPENING, ChannelState.ABANDONED)
"""The server's answer to our request for the channel comes first, and once."""

TAKES_INPUT = (ChannelState.OPENING, ChannelState.OPEN)

USABLE = (ChannelState.OPENING, ChannelState.OPEN, ChannelState.EOF_SENT)
"""Neither side has given it up."""

FINAL = tuple(state for state, after in TRANSITIONS.items() if not after)
"""Nothing more happens to it."""

SILENT = (ChannelState.CLOSE_SENT, ChannelState.CLOSED)
"""Nothing may be sent after the close: sshd ends the whole connection for that."""
