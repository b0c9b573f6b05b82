"""Tests for a target that requests URLs to be opened without a browser call on it: nothing is opened silently."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.project import TIMEOUT, Project, Result, ssh_config_text
from tests.e2e.terminal import Terminal
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")

ASK = """ask() {
    top=${BROWSER%/bin/*}
    number=$((number + 1))
    rm -f "$top/answer.$number"
    mkfifo "$top/answer.$number"
    printf '%s %s\\n' "$1" "$2" >"$top/url.$number"
    exec 9<>"$top/answer.$number"
    echo $number 1<>"$top/urls"
}
number=$$
answered() { read -r status <&9; echo "$status"; }
"""
"""What a command can do that knows how rdo's own programs pass on a URL, without their checks."""


class Hostile(NamedTuple):
    """A project on such a target."""

    project: Project
    record: Path

    @property
    def opened(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def run(self, script: str, *words: str) -> Result:
        return self.project.run("sh", "-c", ASK + script, "sh", *words)


@pytest.fixture
def hostile(project: Project, tmp_path: Path) -> Hostile:
    browser, record = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{shlex.quote(str(record))}\n')
    browser.chmod(0o755)
    project.configure(ssh_config_text(project, 'open_browser = "yes"\n'))
    return Hostile(replace(project, environment={**project.environment, "BROWSER": str(browser)}), record)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("javascript:alert(1)", "is not a URL of http or https"),
        ("file:///etc/passwd", "is not a URL of http or https"),
        ("data:text/html,<script>", "is not a URL of http or https"),
        ("--version", "is not a URL of http or https"),
        ("", "is not a URL of http or https"),
        ("http://a/\x1b[2J\x1b]0;title\x07", "contains characters that no URL has"),
        ("http://a/\r\rrdo: all is well", "contains characters that no URL has"),
        ("http://a/ b", "contains characters that no URL has"),
        ("http://google.com\\@a.example/", "contains characters that no URL has"),
        ("http://a/\u0085", "contains characters that no URL has"),
        ("http://a/" + "b" * 9000, "is longer than 8192 bytes"),
    ],
)
def test_only_plain_web_urls_are_opened(hostile: Hostile, url: str, why: str) -> None:
    result = hostile.run('ask "$RDO_BROWSER" "$1"; answered', url)
    said = result.stderr.decode()
    assert result.stdout == b"4\n"
    assert said.startswith("rdo: cannot open `")
    assert said.endswith(f"` here: it {why}\n")
    assert said.removesuffix("\n").isprintable()
    assert hostile.opened == []


def test_bytes_that_are_not_text_are_not_opened(hostile: Hostile) -> None:
    result = hostile.run("""ask "$RDO_BROWSER" "$(printf 'http://a/\\377')"; answered""")
    assert result.stderr == b"rdo: cannot open `http://a/\\xff` here: it contains characters that no URL has\n"


def test_invisible_characters_in_a_url_are_shown(hostile: Hostile) -> None:
    url = "http://a/\u202egpj.\u200bexe"
    result = hostile.run('ask "$RDO_BROWSER" "$1"; answered', url)
    assert result.stderr == b"rdo: opening http://a/\\u202egpj.\\u200bexe here\n"
    assert wait_until(lambda: hostile.opened == [url], TIMEOUT)


@pytest.mark.parametrize("word", ["", "x", "0123456789abcdef0123456789abcdef", "$(id)", "*"])
def test_without_the_token_of_a_command_nothing_is_opened_or_reported(hostile: Hostile, word: str) -> None:
    result = hostile.run('ask "$1" http://a.example/; answered', word)
    assert (result.stdout, result.stderr) == (b"4\n", b"")
    assert hostile.opened == []


def test_the_token_of_a_command_is_invalid_after_its_end(hostile: Hostile) -> None:
    word = hostile.run('echo "$RDO_BROWSER"').stdout.decode().strip()
    assert re.fullmatch("[0-9a-f]{32}", word)
    result = hostile.run('ask "$1" http://a.example/; answered', word)
    assert (result.stdout, result.stderr) == (b"4\n", b"")


def test_of_many_urls_one_a_second_is_opened_and_the_others_are_counted(hostile: Hostile) -> None:
    script = """
        for each in $(seq 300); do ask "$RDO_BROWSER" "http://a.example/$each"; done
        sleep 1.5; ask "$RDO_BROWSER" http://a.example/last; answered; sleep 1.5
    """
    result = hostile.run(script)
    lines = result.stderr.decode().splitlines()
    opened = [line for line in lines if line.startswith("rdo: opening ")]
    told = r"rdo: (?:(\d+) other URLs were|another URL was) not opened here: a command can open one a second"
    counted = [re.fullmatch(told, line) for line in lines]
    assert len(lines) < 30
    assert len(opened) + len([each for each in counted if each]) == len(lines)
    total = sum(int(each[1] or 1) for each in counted if each)
    assert total + len(opened) == 301
    assert wait_until(lambda: len(hostile.opened) == len(opened), TIMEOUT)


def test_endless_and_invalid_lines_are_ignored(hostile: Hostile) -> None:
    script = """
        top=${BROWSER%/bin/*}
        head -c 3000000 /dev/zero | tr '\\0' x >$top/url.1
        echo 1 1<>$top/urls
        printf '%s\\n' '../../x' '' 'a b c' 99999999999999999999 1<>$top/urls
        ask "$RDO_BROWSER" http://a.example/; answered
    """
    result = hostile.run(script)
    assert (result.stdout, result.stderr) == (b"0\n", b"rdo: opening http://a.example/ here\n")


def test_a_key_typed_before_the_question_could_be_read_is_not_an_answer(hostile: Hostile) -> None:
    hostile.project.configure(ssh_config_text(hostile.project, 'open_browser = "ask"\n'))
    script = 'printf "Continue? [y/N] "; read -r line; echo "line=$line"; wait'
    trap = f"(while ! [ -e go ]; do sleep 0.1; done; xdg-open http://a.example/) & {script}"
    with Terminal(
        ["bash", "-c", f"rdo sh -c {shlex.quote(trap)}"], hostile.project.local, hostile.project.environment
    ) as terminal:
        terminal.expect("Continue? [y/N] ")
        (hostile.project.remote / "go").touch()
        terminal.expect("rdo: open http://a.example/ here? [y/N] ")
        terminal.type("y\r")  # as somebody does who answers another question
        while "rdo: not opened" not in terminal.seen:
            assert "opening" not in terminal.seen
            terminal._read(0.2)
            terminal.type("n")
        terminal.expect("line=y")
    assert hostile.opened == []
