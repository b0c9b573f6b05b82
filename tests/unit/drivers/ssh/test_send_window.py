"""Room for input: taken, given back, and waited for."""

from __future__ import annotations

import threading

import pytest

from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.send_window import WINDOW_LIMIT, SendWindow


@pytest.fixture
def window() -> SendWindow:
    made = SendWindow()
    made.widen(10)
    return made


def test_no_more_is_reserved_than_there_is_room_for(window: SendWindow) -> None:
    assert [window.reserve(6, 0), window.reserve(6, 0)] == [6, 4]
    with pytest.raises(TimeoutError):
        window.reserve(1, 0)


def test_what_does_not_fit_whole_takes_no_room(window: SendWindow) -> None:
    assert not window.reserve_all(11)
    assert window.reserve_all(10)
    assert not window.reserve_all(1)


def test_a_closed_window_takes_nothing_though_there_is_room(window: SendWindow) -> None:
    window.close()
    assert window.reserve(1, None) == 0
    assert not window.reserve_all(1)


@pytest.mark.parametrize("how", ["widened", "closed"])
def test_whoever_waits_for_room_is_woken(how: str) -> None:
    window, found = SendWindow(), list[int]()
    waiting = threading.Thread(target=lambda: found.append(window.reserve(5, 30)))
    waiting.start()
    if how == "widened":
        window.widen(3)
    else:
        window.close()
    waiting.join(30)
    assert found == [3 if how == "widened" else 0]


def test_more_room_than_a_window_can_have_is_a_violation(window: SendWindow) -> None:
    with pytest.raises(Violation):
        window.widen(WINDOW_LIMIT)
