"""Tests for what a command gets so that its URLs are opened here, and for what is dropped."""

from __future__ import annotations

import contextlib
from typing import cast

import pytest

from rdo.errors import SetupError
from rdo.master.browser_programs import BrowserPrograms
from rdo.master.client_connection import ClientConnection
from rdo.master.command_browser import CommandBrowser
from rdo.remote_sh.script import Script
from rdo.util import threads

DIRECTORY = "/tmp/rdo-x/bin"


@pytest.fixture
def browser() -> CommandBrowser:
    programs = BrowserPrograms()
    programs.directory = DIRECTORY
    client = cast(ClientConnection, None)
    return CommandBrowser(programs, client, {}, lambda port: contextlib.nullcontext(), asks=True, can_ask=True)


def test_a_command_finds_the_programs_first_and_its_own_token(browser: CommandBrowser) -> None:
    script = browser.script(Script(("make",), path=("/own",), environment={"A": "b"}))
    word = script.environment["RDO_BROWSER"]
    assert script.environment == {"BROWSER": f"{DIRECTORY}/browser", "A": "b", "RDO_BROWSER": word}
    assert list(script.path) == [DIRECTORY, "/own"]
    assert len(word) == 32


def test_a_browser_of_the_user_is_kept_and_a_token_is_not(browser: CommandBrowser) -> None:
    script = browser.script(Script(("make",), environment={"BROWSER": "w3m", "RDO_BROWSER": "known"}))
    assert script.environment["BROWSER"] == "w3m"
    assert script.environment["RDO_BROWSER"] != "known"


@pytest.mark.parametrize("user", ["0", "root"])
def test_root_keeps_the_path_that_sudo_gives(browser: CommandBrowser, user: str) -> None:
    script = browser.script(Script(("make",), sudo=user))
    assert script.environment["BROWSER"] == f"{DIRECTORY}/browser"
    assert list(script.path) == []


@pytest.mark.parametrize("user", ["deploy", "1000", "0:1000", "root:adm"])
def test_another_user_cannot_use_them_and_gets_nothing(browser: CommandBrowser, user: str) -> None:
    script = Script(("make",), sudo=user)
    assert browser.script(script) == script


def test_urls_that_no_thread_can_open_are_each_refused(
    browser: CommandBrowser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise SetupError("no thread")

    monkeypatch.setattr(threads, "start", full)
    answers: list[bool] = []
    for each in (b"http://a/", b"http://a/", b"http://b/"):
        browser._offer(each, answers.append)
    assert answers == [False, False, False]
