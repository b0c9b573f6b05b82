"""What may happen to a command, and when."""

from __future__ import annotations

import pytest

from rdo.master.session_state import TRANSITIONS, SessionEvent, SessionState


def after(*events: SessionEvent) -> SessionState:
    """The state that a command is in after these."""
    state = SessionState.PREPARED
    for event in events:
        state = TRANSITIONS[state].get(event, state)
    return state


def test_a_command_is_stopped_and_goes_on_as_often_as_somebody_likes() -> None:
    again = (SessionEvent.STOPPED, SessionEvent.CONTINUED)
    assert after(SessionEvent.STARTED, *again, *again) is SessionState.RUNNING
    assert after(SessionEvent.STARTED, *again, SessionEvent.STOPPED) is SessionState.STOPPED


def test_only_a_command_that_was_stopped_goes_on() -> None:
    assert SessionEvent.CONTINUED not in TRANSITIONS[SessionState.RUNNING]
    assert after(SessionEvent.STOPPED) is SessionState.PREPARED


@pytest.mark.parametrize("before", [[], [SessionEvent.STARTED], [SessionEvent.STARTED, SessionEvent.STOPPED]])
def test_what_is_over_stays_so(before: list[SessionEvent]) -> None:
    assert after(*before, SessionEvent.OVER, *SessionEvent) is SessionState.OVER
