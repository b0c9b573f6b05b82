"""Tests for pausing a stream while another connection waits for an answer."""

from __future__ import annotations

import threading

import pytest

from rdo.drivers.right_of_way import REST, SMALL_SIZE, STREAM_SIZE, ConnectionTraffic, Question, RightOfWay


class FakeClockRightOfWay(RightOfWay):
    """Has its own clock, which advances while somebody waits. No answer comes."""

    def __init__(self) -> None:
        super().__init__(lambda: self.time)
        self.time = 100.0
        self.waits: list[float] = []

    def wait(self, question: Question, timeout: float) -> None:
        self.waits.append(timeout)
        self.time += timeout


def stream(right_of_way: RightOfWay) -> ConnectionTraffic:
    traffic = ConnectionTraffic(right_of_way)
    traffic.received(STREAM_SIZE)
    return traffic


def test_a_stream_pauses_until_another_connection_has_its_answer() -> None:
    right_of_way = RightOfWay()
    other, question = ConnectionTraffic(right_of_way), Question(ConnectionTraffic(right_of_way), 0.0)
    right_of_way.latest = question
    rested = threading.Thread(target=right_of_way.wait, args=(question, 30.0))
    rested.start()
    other.received(1)  # an answer to another question
    assert right_of_way.latest is question
    question.traffic.received(1)
    rested.join(10)
    assert not rested.is_alive()


def test_it_pauses_no_longer_than_a_short_command_takes() -> None:
    right_of_way = FakeClockRightOfWay()
    streaming = stream(right_of_way)
    ConnectionTraffic(right_of_way).sent(1)
    right_of_way.time += REST / 4
    streaming.rest()
    streaming.rest()
    assert right_of_way.waits == [pytest.approx(REST * 3 / 4)]


def test_it_works_as_long_as_it_pauses() -> None:
    right_of_way = FakeClockRightOfWay()
    asking, streaming = ConnectionTraffic(right_of_way), stream(right_of_way)
    for worked in (1.0, REST / 2, REST / 4, 0.0, REST):
        right_of_way.time += worked
        asking.sent(1)
        streaming.rest()
    assert right_of_way.waits == [pytest.approx(rest) for rest in (REST, REST / 2, REST / 4, REST)]


@pytest.mark.parametrize("size", [SMALL_SIZE + 1, STREAM_SIZE])
def test_a_large_message_is_not_a_question(size: int) -> None:
    right_of_way = FakeClockRightOfWay()
    ConnectionTraffic(right_of_way).sent(size)
    stream(right_of_way).rest()
    assert not right_of_way.waits


def test_no_stream_pauses_for_itself_or_for_another_stream() -> None:
    right_of_way = FakeClockRightOfWay()
    streaming = stream(right_of_way)
    streaming.sent(1)
    stream(right_of_way).rest()
    right_of_way.latest = Question(streaming, float("inf"))
    streaming.rest()
    assert not right_of_way.waits


def test_a_connection_that_is_not_a_stream_does_not_pause() -> None:
    right_of_way = FakeClockRightOfWay()
    traffic = stream(right_of_way)
    traffic.received(STREAM_SIZE - 1)
    ConnectionTraffic(right_of_way).sent(1)
    traffic.rest()
    assert not right_of_way.waits
