"""The states of a command in the control master, and the events that change them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum


class SessionState(Enum):
    """The state of a command."""

    PREPARED = "its script has not gone out"
    RUNNING = "it runs, as far as is known here"
    STOPPED = "Ctrl-Z has stopped it on its terminal there"
    OVER = "it has ended, or nobody is there any more to pass anything on"


class SessionEvent(Enum):
    """An event in the life of a command."""

    STARTED = "its script goes out"
    STOPPED = "its shell says that it was stopped"
    CONTINUED = "the client says that it goes on"
    OVER = "it ends, or its client or its channel does"


TRANSITIONS: Mapping[SessionState, Mapping[SessionEvent, SessionState]] = {
    SessionState.PREPARED: {SessionEvent.STARTED: SessionState.RUNNING, SessionEvent.OVER: SessionState.OVER},
    SessionState.RUNNING: {SessionEvent.STOPPED: SessionState.STOPPED, SessionEvent.OVER: SessionState.OVER},
    SessionState.STOPPED: {SessionEvent.CONTINUED: SessionState.RUNNING, SessionEvent.OVER: SessionState.OVER},
    SessionState.OVER: {},
}
"""The next state by state and event. An event that is not listed for a state has no effect in it."""
