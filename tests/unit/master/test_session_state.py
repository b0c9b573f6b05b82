"""Tests for the states of a command, and for the transitions between them."""

from __future__ import annotations

import pytest

from rdo.master.session_state import TRANSITIONS, SessionEvent, SessionState


def after(*events: SessionEvent) -> SessionState:
    """The state of a command after these events."""
    state = SessionState.PREPARED
    for event in events:
        state = TRANSITIONS[state].get(event, state)
    return state


def test_a_command_can_be_stopped_and_continued_repeatedly() -> None:
    again = (SessionEvent.STOPPED, SessionEvent.CONTINUED)
    assert after(SessionEvent.STARTED, *again, *again) is SessionState.RUNNING
    assert after(SessionEvent.STARTED, *again, SessionEvent.STOPPED) is SessionState.STOPPED


def test_only_a_stopped_command_can_be_continued() -> None:
    assert SessionEvent.CONTINUED not in TRANSITIONS[SessionState.RUNNING]
    assert after(SessionEvent.STOPPED) is SessionState.PREPARED


@pytest.mark.parametrize("before", [[], [SessionEvent.STARTED], [SessionEvent.STARTED, SessionEvent.STOPPED]])
def test_the_end_is_final(before: list[SessionEvent]) -> None:
    assert after(*before, SessionEvent.OVER, *SessionEvent) is SessionState.OVER
