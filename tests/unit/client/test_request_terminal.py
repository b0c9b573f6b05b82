"""Tests for what a request says about the terminals on which a command was typed."""

from __future__ import annotations

import os
import pty

import pytest

from tests.unit.client.typed import build, terminals_are

pytestmark = pytest.mark.usefixtures("bare_environment", "piped_stdin")


@pytest.mark.parametrize(
    ("words", "terminals", "expected"),
    [
        pytest.param([], (0, 1, 2), True, id="three terminals"),
        pytest.param([], (1, 2), False, id="stdin is not a terminal"),
        pytest.param([], (0, 2), False, id="stdout is not a terminal"),
        pytest.param([], (0, 1), False, id="stderr is not a terminal"),
        pytest.param(["-n"], (0, 1, 2), False, id="no stdin"),
        pytest.param(["-T"], (0, 1, 2), False, id="forbidden"),
        pytest.param(["-t"], (), True, id="forced"),
        pytest.param(["-tn"], (), True, id="forced without stdin"),
    ],
)
def test_a_pty_is_for_three_terminals_or_on_demand(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    assert build(*words).pty is expected


@pytest.mark.parametrize("words", [["ls"], ["-c", "ls"], ["-ec", "ls"]], ids=["a command", "-c", "-ec"])
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(" -j3 --jobserver-auth=3,4 -- A=1", False, id="several jobs"),
        pytest.param(" -j3 --jobserver-auth=fifo:/tmp/GMfifo1", False, id="several jobs of make 4.4"),
        pytest.param(" --jobserver-fds=3,4 -j", False, id="several jobs of make 3.81"),
        pytest.param("k -j", False, id="as many jobs as there are"),
        pytest.param(" -j 2 -J 3,4", False, id="several jobs of bmake"),
        pytest.param("k", True, id="no word of jobs"),
        pytest.param(" -j1", True, id="one job"),
        pytest.param("k -- X=-j3 -j3", True, id="a variable"),
        pytest.param("", True, id="nothing"),
    ],
)
def test_a_recipe_that_shares_the_terminal_with_other_jobs_has_no_pty(
    monkeypatch: pytest.MonkeyPatch, words: list[str], flags: str, expected: bool
) -> None:
    terminals_are(monkeypatch, (0, 1, 2))
    monkeypatch.setattr(os, "getpgrp", lambda: os.getpid() - 1)
    monkeypatch.setenv("MAKEFLAGS", flags)
    assert build(*words).pty is expected
    assert build("-t", *words).pty


def test_a_command_typed_into_a_shell_that_such_a_make_started_has_a_pty(monkeypatch: pytest.MonkeyPatch) -> None:
    terminals_are(monkeypatch, (0, 1, 2))
    monkeypatch.setattr(os, "getpgrp", os.getpid)
    monkeypatch.setenv("MAKEFLAGS", " -j3 --jobserver-auth=3,4")
    assert build("ls").pty


@pytest.mark.parametrize(
    ("words", "terminals", "term", "expected"),
    [
        pytest.param([], (2,), "xterm", True, id="stderr is a terminal"),
        pytest.param([], (0, 1), "xterm", False, id="stderr is not a terminal"),
        pytest.param([], (2,), "dumb", False, id="a terminal that cannot take a line back"),
        pytest.param([], (2,), "", False, id="a terminal without a name"),
        pytest.param(["-v"], (2,), "xterm", False, id="each step has a line of its own"),
    ],
)
def test_progress_is_for_a_terminal_that_can_erase_it(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], term: str, expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    monkeypatch.setenv("TERM", term)
    assert build(*words).progress is expected


@pytest.mark.parametrize(
    ("words", "terminals", "expected"),
    [
        pytest.param([], (0, 2), True, id="stdin and stderr are terminals"),
        pytest.param(["-T"], (0, 2), True, id="without a pty"),
        pytest.param(["-n"], (0, 2), False, id="stdin is not read"),
        pytest.param(["-t"], (1, 2), False, id="stdin is not a terminal"),
        pytest.param([], (0, 1), False, id="stderr is not a terminal"),
    ],
)
def test_a_question_needs_somebody_who_sees_it_and_can_type(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    assert build(*words).can_answer is expected


def test_the_window_of_a_forced_pty_has_a_size() -> None:
    rows, columns, _, _ = build("-t").window
    assert rows > 0
    assert columns > 0


def test_the_modes_are_those_of_the_terminal_that_stdin_is() -> None:
    near, far = pty.openpty()
    os.dup2(far, 0)
    assert b"intr=3 " in build("-t").modes
    assert build("-T").modes == b""
    os.close(near)
    os.close(far)
