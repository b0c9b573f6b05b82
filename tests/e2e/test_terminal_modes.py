"""Tests for the terminal's modes and name on each kind of target, with warm and fresh shells."""

from __future__ import annotations

import re

import pytest

from tests.e2e.project import Project
from tests.e2e.terminal import LINE_START, Terminal

pytestmark = pytest.mark.usefixtures("lent")


def test_keys_and_flags_are_those_of_the_caller_s_terminal(anywhere: Project) -> None:
    line = "stty intr ^X erase ^H -ixon iutf8; rdo stty -a; stty intr ^Y erase ^? ixon -iutf8; rdo stty -a; echo over"
    with Terminal(["sh", "-c", line], anywhere.local, anywhere.environment) as terminal:
        first, second = terminal.match(rf"(?s)(speed.*)(speed.*){LINE_START}over\r\n").groups()
    for shown, words in (
        (first, ("intr = ^X;", "erase = ^H;", "-ixon", "iutf8")),
        (second, ("intr = ^Y;", "erase = ^?;", "ixon", "-iutf8")),
    ):
        line = f" {' '.join(shown.split())} "
        assert [word for word in words if f" {word} " not in line] == []


def test_the_terminals_name_is_that_of_this_command(anywhere: Project) -> None:
    command = "rdo -t sh -c 'echo \"<$TERM>\"'"
    line = f"TERM=vt100 {command}; TERM=xterm {command}; unset TERM; {command}; TERM= {command}; echo over"
    with Terminal(["sh", "-c", line], anywhere.local, anywhere.environment) as terminal:
        shown = terminal.match(rf"{LINE_START}over\r\n").string
    # Matched anywhere in a line: after a slow connect, the sequence that erases the progress precedes the first one.
    assert re.findall(r"<\w*>", shown) == ["<vt100>", "<xterm>", "<dumb>", "<dumb>"]
