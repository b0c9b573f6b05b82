"""Tests for the client's side of one command: which frames a master may send, and when another master may be tried."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from rdo.client.run import ACCEPTED, FINISHED, REQUESTED, STARTED, TRANSITIONS, NotAccepted, RunningCommand
from rdo.client.trace import Trace
from rdo.errors import ConnectError, LinkLost, RdoError, SetupError
from rdo.ipc import protocol
from rdo.ipc.request import Request

MASTERS = {
    name: value
    for name, value in vars(protocol).items()
    if isinstance(value, bytes) and len(value) == 1 and name in {
        "ACCEPTED", "STALE", "PROMPT", "NOTICE", "PROGRESS", "STARTED", "OUTPUT", "ERROR", "CREDIT", "END", "STOPPED",
        "SCREEN", "FINISHED", "EXIT", "FAILED", "REPORT", "OPEN_URL",
    }
}  # fmt: skip
WAY = {REQUESTED: b"", ACCEPTED: protocol.frame(protocol.ACCEPTED)}
WAY[STARTED] = WAY[ACCEPTED] + protocol.frame(protocol.STARTED)
WAY[FINISHED] = WAY[STARTED] + protocol.frame(protocol.FINISHED)
EXIT = protocol.frame(protocol.EXIT, b"\7")


@pytest.fixture(autouse=True)
def _threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the thread for signals a daemon, because it would outlive the test otherwise."""
    monkeypatch.setattr("rdo.client.foreground.Foreground.enter", lambda self, ptyless: None)


class Master:
    """A master that sends given frames, and a command without input for it to run."""

    def __init__(self, sync_only: bool = False) -> None:
        self.client, self.end = socket.socketpair()
        request = Request()
        request.sync_only = sync_only
        request.pty, request.no_input, request.window = False, True, (0, 0, 0, 0)
        self.command = RunningCommand(request, self.client, "/run/rdo/x", Trace(False, 0))

    def run(self, *frames: bytes) -> int:
        """The exit status after the master sends these bytes and then closes the connection."""
        self.end.sendall(b"".join(frames))
        self.end.shutdown(socket.SHUT_WR)
        return self.command.run()


@pytest.fixture
def master() -> Iterator[Master]:
    made = Master()
    with closing(made.client), closing(made.end):
        yield made


def test_every_frame_of_a_master_is_handled_except_replies_to_rdoctl() -> None:
    named = {kind for transitions in TRANSITIONS.values() for kind in transitions}
    assert named == set(MASTERS.values()) - {protocol.REPORT}


@pytest.mark.parametrize("state", [REQUESTED, ACCEPTED, STARTED, FINISHED])
@pytest.mark.parametrize("kind", [*(bytes([number]) for number in (0, 65, 73, 122, 255)), *MASTERS.values()])
def test_an_unexpected_frame_ends_the_connection(master: Master, state: str, kind: bytes) -> None:
    if kind in TRANSITIONS[state]:
        return
    with pytest.raises(protocol.ProtocolError, match=f"when the command was {state}; `rdoctl stop --all`"):
        master.run(WAY[state], protocol.frame(kind, b"x"), EXIT)


def test_the_exit_status_is_the_last_frame(master: Master) -> None:
    assert master.run(WAY[STARTED], EXIT) == 7


def test_a_status_may_follow_work_after_the_end_of_the_command(
    master: Master, capfd: pytest.CaptureFixture[str]
) -> None:
    assert master.run(WAY[FINISHED], protocol.frame(protocol.NOTICE, b"rdo: a"), EXIT) == 7
    assert capfd.readouterr().err == "rdo: a\n"


def test_a_status_comes_without_a_command_only_where_none_was_asked_for(master: Master) -> None:
    with pytest.raises(protocol.ProtocolError, match="when the command was accepted"):
        master.run(WAY[ACCEPTED], EXIT)
    other = Master(sync_only=True)
    with closing(other.client), closing(other.end):
        assert other.run(WAY[ACCEPTED], EXIT) == 7


def test_a_lost_master_after_the_end_of_the_command_is_reported_as_such(master: Master) -> None:
    with pytest.raises(LinkLost, match="the command ended, but copying its files back did not finish"):
        master.run(WAY[FINISHED])


@pytest.mark.parametrize("answer", [b"", protocol.frame(protocol.STALE)], ids=["no answer", "STALE"])
def test_another_master_may_be_tried_if_this_one_has_not_accepted(master: Master, answer: bytes) -> None:
    with pytest.raises(NotAccepted):
        master.run(answer)


def test_a_silent_master_is_given_up_only_before_it_accepts(master: Master) -> None:
    master.client.settimeout(0.05)
    with pytest.raises(NotAccepted):
        master.command.run()


def test_a_master_that_has_accepted_may_take_its_time(master: Master) -> None:
    master.client.settimeout(0.2)
    master.end.sendall(WAY[ACCEPTED])
    late = threading.Timer(0.5, master.end.sendall, (protocol.frame(protocol.STARTED) + EXIT,))
    late.start()
    assert master.command.run() == 7
    late.join()


def test_a_master_that_goes_away_after_it_has_accepted_is_an_error(master: Master) -> None:
    with pytest.raises(SetupError) as caught:
        master.run(WAY[ACCEPTED], protocol.frame(protocol.NOTICE, b""))
    line = "the command was not started: the control master exited; try again; `/run/rdo/x.log` may say more"
    assert str(caught.value) == line


def test_a_master_that_goes_away_after_the_start_is_a_lost_command(master: Master) -> None:
    with pytest.raises(LinkLost, match="the command was lost"):
        master.run(WAY[STARTED])


@pytest.mark.parametrize(("state", "kind"), [(ACCEPTED, ConnectError), (STARTED, RdoError)])
def test_only_before_the_start_is_a_target_unreachable(master: Master, state: str, kind: type[RdoError]) -> None:
    failed = protocol.frame(protocol.FAILED, protocol.encode_failure(ConnectError("a", "b", "c")))
    with pytest.raises(RdoError) as caught:
        master.run(WAY[state], failed)
    assert (type(caught.value), str(caught.value)) == (kind, "a: b; c")


def test_an_invalid_frame_ends_the_connection(master: Master) -> None:
    with pytest.raises(protocol.ProtocolError):
        master.run(WAY[STARTED], protocol.frame(protocol.EXIT, b""))
