"""Tests for passwords and questions of the server, which are shown on the caller's terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.integration.conftest import Connect
from tests.scripted_server import Script, ScriptedServer
from tests.ssh_client import ScriptedCaller, driver

PROMPT = ("bob@devbox's password: ", False)


def test_a_password_is_asked_for_without_echo_until_it_is_right(connect: Connect, tmp_path: Path) -> None:
    asked = ScriptedCaller(["wrong", "secret"])
    with ScriptedServer(Script("password", password="secret"), tmp_path) as server:
        connect(server.ssh_config, caller=asked)
    assert asked.asked == [PROMPT, PROMPT]


def test_a_password_is_asked_for_three_times(tmp_path: Path) -> None:
    asked = ScriptedCaller(["wrong"] * 9)
    script = Script("password", password="secret")
    with ScriptedServer(script, tmp_path) as server, pytest.raises(ConnectError, match="the server accepts `password`"):
        connected(driver(server.ssh_config), asked)
    assert script.attempts == ["password wrong"] * 3


def test_questions_are_asked_with_the_echo_that_the_server_requests(connect: Connect, tmp_path: Path) -> None:
    asked = ScriptedCaller(["blue", "12345"])
    questions = [("Colour? ", True), ("Token: ", False)]
    script = Script("keyboard-interactive", questions=questions, answers=["blue", "12345"])
    with ScriptedServer(script, tmp_path) as server:
        connect(server.ssh_config, caller=asked)
    assert asked.asked == [("(bob@devbox) Colour? ", True), ("(bob@devbox) Token: ", False)]


def test_a_password_and_then_questions_are_two_steps_of_one_login(connect: Connect, tmp_path: Path) -> None:
    asked = ScriptedCaller(["secret", "12345"])
    script = Script("password", password="secret", questions=[("Token: ", False)], answers=["12345"], partial=True)
    with ScriptedServer(script, tmp_path) as server:
        connect(server.ssh_config, caller=asked)
    assert script.attempts == ["password secret", "questions"]


def test_without_a_terminal_the_methods_that_the_server_accepts_are_named(tmp_path: Path) -> None:
    script = Script("password,keyboard-interactive", questions=[("Token: ", False)])
    with ScriptedServer(script, tmp_path) as server, pytest.raises(ConnectError) as failure:
        connected(driver(server.ssh_config), ScriptedCaller())
    assert str(failure.value) == (
        f"authentication failed for `bob@devbox:{server.port}`: the server accepts `password`, `keyboard-interactive`; "
        "there was no terminal to ask on; "
        f"run this in a terminal, or type `ssh-copy-id -F {server.ssh_config} devbox` in one"
    )
    assert "password" not in " ".join(script.attempts)


def test_text_of_the_server_cannot_control_the_terminal(connect: Connect, tmp_path: Path) -> None:
    asked = ScriptedCaller(["12345"])
    script = Script("keyboard-interactive", questions=[("\x1b[2JToken: ", False)], answers=["12345"])
    with ScriptedServer(script, tmp_path) as server:
        connect(server.ssh_config, caller=asked)
    assert asked.told == ["Authorised users only\\x1b[2J", "Two things\\x1b[2J"]
    assert asked.asked == [("(bob@devbox) \\x1b[2JToken: ", False)]
