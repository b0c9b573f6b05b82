"""Tests for the flow control of an SSH channel: credit, order, the end of the output and the status; and room for
input.
"""

from __future__ import annotations

import threading

import pytest

from rdo.drivers.base import STDERR, STDOUT, Chunk
from rdo.drivers.ssh.fields import Violation
from rdo.drivers.ssh.flow_control import ReceiveBuffer
from rdo.drivers.ssh.send_window import WINDOW_LIMIT, SendWindow


class Watcher:
    """Accepts output until `refuses` is set, and records it and the notifications."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, bytes]] = []
        self.notified: list[bool] = []
        self.refuses = False

    def sink(self, stream: int, data: bytes | memoryview) -> bool:
        if not self.refuses:
            self.taken.append((stream, bytes(data)))
        return not self.refuses


@pytest.fixture
def watched() -> tuple[ReceiveBuffer, Watcher]:
    buffer, watcher = ReceiveBuffer(1000, 4000), Watcher()
    buffer.watch(watcher.sink, watcher.notified.append)
    return buffer, watcher


def test_output_is_read_in_its_order_and_then_the_end() -> None:
    buffer = ReceiveBuffer(1000, 4000)
    buffer.put(STDOUT, b"a")
    buffer.put(STDERR, b"b")
    buffer.end()
    assert buffer.read(0, None) == (Chunk(STDOUT, b"a"), 0)
    assert buffer.read(0, None) == (Chunk(STDERR, b"b"), 0)
    assert buffer.read(0, None) == (None, 0)


def test_a_timeout_without_output_is_reported() -> None:
    with pytest.raises(TimeoutError):
        ReceiveBuffer(1000, 4000).read(0, None)


def test_reading_returns_the_credit_to_grant() -> None:
    buffer = ReceiveBuffer(3, 12)
    buffer.put(STDOUT, b"abcd")
    assert buffer.read(0, None) == (Chunk(STDOUT, b"abcd"), 4)


def test_a_short_command_needs_no_reader(watched: tuple[ReceiveBuffer, Watcher]) -> None:
    buffer, watcher = watched
    buffer.put(STDOUT, b"hello")
    buffer.end()
    buffer.put_status(3)
    assert not watcher.notified  # before everything that has arrived is processed
    buffer.notify_watcher()
    assert (watcher.taken, watcher.notified) == ([(STDOUT, b"hello")], [True])
    assert buffer.wait_for_status() == 3


def test_an_end_without_a_status_is_reported_once_and_needs_no_reader(
    watched: tuple[ReceiveBuffer, Watcher],
) -> None:
    buffer, watcher = watched
    buffer.end()
    buffer.notify_watcher()
    buffer.notify_watcher()
    assert (watcher.taken, watcher.notified) == ([(STDOUT, b"")], [])
    buffer.put_status(3)
    buffer.notify_watcher()
    assert (watcher.taken, watcher.notified) == ([(STDOUT, b"")], [True])


def test_an_end_that_the_watcher_refuses_is_left_to_the_reader(watched: tuple[ReceiveBuffer, Watcher]) -> None:
    buffer, watcher = watched
    watcher.refuses = True
    buffer.end()
    buffer.notify_watcher()
    assert watcher.notified == [False]


def test_a_connection_that_ends_after_the_output_is_left_to_the_reader(watched: tuple[ReceiveBuffer, Watcher]) -> None:
    buffer, watcher = watched
    buffer.end()
    buffer.notify_watcher()
    buffer.lose()
    assert watcher.notified == [False]


def test_what_a_watcher_refuses_can_be_read(watched: tuple[ReceiveBuffer, Watcher]) -> None:
    buffer, watcher = watched
    watcher.refuses = True
    buffer.put(STDOUT, b"hello")
    assert watcher.notified == [False]
    watcher.refuses = False
    buffer.put(STDOUT, b" again")
    assert not watcher.taken
    assert buffer.read(0, None) == (Chunk(STDOUT, b"hello again"), 0)


def test_a_status_is_kept_if_the_connection_ends_after_the_output() -> None:
    buffer = ReceiveBuffer(1000, 4000)
    buffer.put_status(3)
    buffer.end()
    buffer.lose()
    assert buffer.wait_for_status() == 3


def test_a_status_is_dropped_if_output_was_cut_off(watched: tuple[ReceiveBuffer, Watcher]) -> None:
    buffer, watcher = watched
    buffer.put_status(3)
    buffer.lose()
    assert buffer.wait_for_status() is None
    assert watcher.notified == [False]


def test_what_is_not_wanted_is_dropped() -> None:
    buffer = ReceiveBuffer(1000, 4000)
    buffer.put(STDOUT, b"hello")
    buffer.give_up()
    buffer.put(STDOUT, b"more")
    assert buffer.read(0, None) == (None, 0)
    assert buffer.wait_for_status() is None


def test_the_end_wakes_a_waiting_reader() -> None:
    buffer = ReceiveBuffer(1000, 4000)
    found: list[int | None] = []
    threads = [
        threading.Thread(target=buffer.read, args=(10, None)),
        threading.Thread(target=lambda: found.append(buffer.wait_for_status())),
    ]
    for thread in threads:
        thread.start()
    buffer.put_status(0)
    buffer.close()
    for thread in threads:
        thread.join(5)
    assert found == [0]


@pytest.fixture
def window() -> SendWindow:
    made = SendWindow()
    made.widen(10)
    return made


def test_no_more_is_reserved_than_there_is_room_for(window: SendWindow) -> None:
    assert [window.reserve(6, 0), window.reserve(6, 0)] == [6, 4]
    with pytest.raises(TimeoutError):
        window.reserve(1, 0)


def test_data_that_does_not_fit_as_a_whole_takes_no_room(window: SendWindow) -> None:
    assert not window.reserve_all(11)
    assert window.reserve_all(10)
    assert not window.reserve_all(1)


def test_a_closed_window_accepts_nothing_despite_its_room(window: SendWindow) -> None:
    window.close()
    assert window.reserve(1, None) == 0
    assert not window.reserve_all(1)


@pytest.mark.parametrize("how", ["widened", "closed"])
def test_a_caller_that_does_not_wait_for_room_is_notified_once(how: str) -> None:
    window, notified = SendWindow(), list[bool]()
    assert not window.reserve_all(10, lambda: notified.append(window.reserve_all(10)))
    assert not window.reserve_all(10)  # another caller, who needs no notification
    if how == "widened":
        window.widen(10)
    else:
        window.close()
    window.close()
    assert notified == [how == "widened"]


@pytest.mark.parametrize("how", ["widened", "closed"])
def test_a_caller_that_waits_for_room_is_woken(how: str) -> None:
    window, found = SendWindow(), list[int]()
    waiting = threading.Thread(target=lambda: found.append(window.reserve(5, 30)))
    waiting.start()
    if how == "widened":
        window.widen(3)
    else:
        window.close()
    waiting.join(30)
    assert found == [3 if how == "widened" else 0]


def test_a_window_beyond_its_limit_is_a_violation(window: SendWindow) -> None:
    with pytest.raises(Violation):
        window.widen(WINDOW_LIMIT)
