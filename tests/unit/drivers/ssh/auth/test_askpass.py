"""Tests for when SSH_ASKPASS is used, and which part of its output is the answer, as in OpenSSH's readpass.c."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.drivers.ssh.auth.askpass import USUAL, AskpassUse, asking, first_line, use
from rdo.drivers.ssh.options import SshOptions
from tests.ssh_client import ScriptedCaller

SCREEN = {"DISPLAY": ":0"}
OPTIONS = SshOptions("devbox", "devbox", 22, "me")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, AskpassUse.NEVER),
        (SCREEN, AskpassUse.WITHOUT_TERMINAL),
        ({"WAYLAND_DISPLAY": "wayland-0"}, AskpassUse.WITHOUT_TERMINAL),
        ({"DISPLAY": ""}, AskpassUse.NEVER),
        ({"SSH_ASKPASS_REQUIRE": "force"}, AskpassUse.ALWAYS),
        ({"SSH_ASKPASS_REQUIRE": "FORCE"}, AskpassUse.ALWAYS),
        ({"SSH_ASKPASS_REQUIRE": "prefer"}, AskpassUse.NEVER),
        ({"SSH_ASKPASS_REQUIRE": "prefer", **SCREEN}, AskpassUse.ALWAYS),
        ({"SSH_ASKPASS_REQUIRE": "never", **SCREEN}, AskpassUse.NEVER),
        ({"SSH_ASKPASS_REQUIRE": "odd", **SCREEN}, AskpassUse.WITHOUT_TERMINAL),
    ],
)
def test_the_environment_says_when_the_program_is_asked(environment: dict[str, str], expected: AskpassUse) -> None:
    assert use(environment) is expected


@pytest.mark.parametrize(
    ("output", "answer"), [(b"a b\nc\n", "a b"), (b"a\r\n", "a"), (b"", ""), (b"\xff\n", "\udcff")]
)
def test_the_answer_is_the_first_line(output: bytes, answer: str) -> None:
    assert first_line(output) == answer


def program(directory: Path, text: str = 'echo "secret of $1"') -> str:
    path = directory / "ask"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def ask(environment: dict[str, str], *answers: str | None, batch: bool = False) -> tuple[str | None, ScriptedCaller]:
    caller = ScriptedCaller(answers, environment)
    return asking(caller, OPTIONS._replace(batch=batch)).ask("who? ", echo=False), caller


def test_the_program_is_asked_if_there_is_no_terminal(tmp_path: Path) -> None:
    environment = {"SSH_ASKPASS": program(tmp_path), **SCREEN}
    assert ask(environment)[0] == "secret of who? "
    assert ask(environment, "typed")[0] == "typed"
    assert ask({"SSH_ASKPASS": program(tmp_path)})[0] is None


def test_the_program_is_asked_first_where_that_is_required(tmp_path: Path) -> None:
    answer, caller = ask({"SSH_ASKPASS": program(tmp_path), "SSH_ASKPASS_REQUIRE": "force"}, "typed")
    assert answer == "secret of who? "
    assert caller.asked == []


def test_the_program_has_the_callers_environment_and_directory(tmp_path: Path) -> None:
    asked = program(tmp_path, 'echo "$MINE $PWD"')
    environment = {"SSH_ASKPASS": asked, "SSH_ASKPASS_REQUIRE": "force", "MINE": "yes", "PWD": str(tmp_path)}
    assert ask(environment)[0] == f"yes {tmp_path}"


def test_a_program_that_is_dismissed_gives_no_answer(tmp_path: Path) -> None:
    environment = {"SSH_ASKPASS": program(tmp_path, "echo x; exit 1"), "SSH_ASKPASS_REQUIRE": "force"}
    assert ask(environment)[0] is None


def test_a_program_that_is_missing_is_named() -> None:
    answer, caller = ask({"SSH_ASKPASS": "/gone", "SSH_ASKPASS_REQUIRE": "force"})
    assert answer is None
    assert caller.told[0].startswith("rdo: `/gone` (SSH_ASKPASS) returned no answer: ")


def test_without_any_program_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rdo.drivers.ssh.auth.askpass.USUAL", ())
    assert len(USUAL) > 1
    assert ask({"SSH_ASKPASS_REQUIRE": "force"})[0] is None


def test_in_batch_mode_nobody_is_asked(tmp_path: Path) -> None:
    environment = {"SSH_ASKPASS": program(tmp_path), "SSH_ASKPASS_REQUIRE": "force"}
    answer, caller = ask(environment, "typed", batch=True)
    assert answer is None
    assert caller.asked == []
