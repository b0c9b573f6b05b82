"""Tests for the progress that a waiting caller is shown: nothing at first, then each step and the seconds, and nothing
after the end.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from rdo.ipc import protocol
from rdo.ipc.request import Request
from rdo.master import progress
from rdo.master.client_connection import ClientConnection, ClientGone
from rdo.master.command_caller import WaitingCaller
from rdo.master.progress import Progress
from tests.leaks import wait_until

TIMEOUT = 10.0


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_GRACE", 0.05)
    monkeypatch.setattr(progress, "SHOW_INTERVAL", 0.01)


@pytest.fixture
def ends() -> Iterator[tuple[ClientConnection, ClientConnection]]:
    """Both ends of a connection: the master's and the client's."""
    near, far = socket.socketpair()
    for end in (near, far):
        end.settimeout(TIMEOUT)
    with near, far:
        yield ClientConnection(near), ClientConnection(far)


@pytest.fixture
def far(ends: tuple[ClientConnection, ClientConnection]) -> ClientConnection:
    """The client's end."""
    return ends[1]


@pytest.fixture
def near(ends: tuple[ClientConnection, ClientConnection]) -> Iterator[WaitingCaller]:
    """A caller that is shown progress."""
    with WaitingCaller(ends[0], asked(b"g")) as caller:
        yield caller


def asked(flags: bytes) -> Request:
    request = Request()
    request.flags, request.environ, request.pwd = flags, [b"LANG=C.UTF-8"], b"/"
    return request


def ended() -> bool:
    """Whether no thread of the progress is left."""
    return wait_until(lambda: not [each for each in threading.enumerate() if each.name == "progress"], TIMEOUT)


def test_each_step_is_shown_with_the_seconds_and_none_after_the_end() -> None:
    shown: list[str] = []
    wait = Progress(lambda line: not shown.append(line))
    wait.step("one")
    assert wait_until(lambda: shown == ["one (0 s)"], TIMEOUT)
    wait.step("two")
    assert wait_until(lambda: shown == ["one (0 s)", "two (0 s)"], TIMEOUT)
    wait.end()
    wait.step("three")
    assert ended()
    assert shown == ["one (0 s)", "two (0 s)"]


def test_a_short_wait_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "QUIET_GRACE", TIMEOUT)
    shown: list[str] = []
    wait = Progress(lambda line: not shown.append(line))
    wait.step("one")
    wait.end()
    assert ended()
    assert shown == []


def test_it_ends_if_nobody_is_there() -> None:
    wait = Progress(lambda line: False)
    wait.step("one")
    assert wait_until(lambda: wait.over, TIMEOUT)
    assert ended()


def test_it_is_sent_as_frames_without_control_characters(near: WaitingCaller, far: ClientConnection) -> None:
    assert near.progress("one\x1b[2J")
    kind, line = far.receive()
    assert (kind, line[:17]) == (protocol.PROGRESS, b"rdo: one\\x1b[2J (")


def test_nothing_is_shown_while_a_question_waits_for_its_answer(near: WaitingCaller, far: ClientConnection) -> None:
    near.progress("one")
    far.receive()
    far.send(protocol.ANSWER, b"1yes")
    assert near.ask("sure?", echo=True) == "yes"
    assert far.receive() == (protocol.PROMPT, b"1sure?")
    assert ended()
    near.progress("two")
    assert far.receive()[1][:10] == b"rdo: two ("


def test_a_caller_that_went_away_is_noticed_at_the_next_step(near: WaitingCaller, far: ClientConnection) -> None:
    near.progress("one")
    far.close()
    with pytest.raises(ClientGone):
        near.progress("two")


def test_a_caller_without_a_terminal_gets_no_frame(ends: tuple[ClientConnection, ClientConnection]) -> None:
    with WaitingCaller(ends[0], asked(b"c")) as caller:
        assert not caller.progress("one")
        assert ended()
