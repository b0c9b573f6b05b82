"""Tests for `rdoctl status` on a terminal: a table for people, or plain text if the terminal cannot show more."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.e2e.project import Project, local_project
from tests.e2e.terminal import Terminal

ESCAPES = re.compile(r"\x1b\[([0-9;]*)m")

COLOURS = re.compile(r"(?:[34][0-7]|[39][0-7])(?:;|$)")


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """A project that needs no server, in the home directory."""
    return local_project(Path(runtime["HOME"]).resolve(), runtime)


def status(project: Project, columns: int = 100, cwd: str = ".", more: Mapping[str, str] | None = None) -> str:
    """What is shown on a terminal with this many columns."""
    environment = {**project.environment, **(more or {})}
    with Terminal(["sh", "-c", "read go; rdoctl status; echo end"], project.local / cwd, environment) as terminal:
        terminal.resize(30, columns)
        terminal.line("")
        return terminal.expect("end\r\n").partition("\r\n")[2].removesuffix("end\r\n")


def plain(text: str) -> list[list[str]]:
    """The words of each line."""
    return [ESCAPES.sub("", line).split() for line in text.splitlines()]


def test_it_is_a_table_with_the_commands_and_short_paths(project: Project) -> None:
    with project.start("sh", "-c", "echo ready; cat") as command:
        assert command.stdout is not None
        assert command.stdout.readline() == b"ready\n"
        shown = status(project, 110, cwd="src")
        command.communicate()
    headings, line, row, last = plain(shown)
    assert headings == ["TARGET", "PROFILES", "DOING", "CONNECTIONS", "OPEN", "FOR", "PROJECTS"]
    assert last[:3] == ["control", "master:", "process"]
    assert set("".join(line)) == {"─"}
    assert row[:7] == ["local", "default", "sh", "-c", "echo", "ready;", "cat"]
    assert row[-1] == "../.rdo.conf"
    assert max(len(ESCAPES.sub("", text)) for text in shown.splitlines()) <= 110


def test_on_a_narrow_terminal_it_is_a_list(project: Project) -> None:
    project.run("true")
    shown = plain(status(project, 50, cwd=".."))
    assert [words[0] for words in shown] == [
        "target",
        "profiles",
        "doing",
        "connections",
        "open",
        "projects",
        "control",
    ]
    assert shown[2][1] == "idle,"
    assert shown[-2][1:] == ["my", "project/.rdo.conf"]


def test_colours_are_used_unless_they_are_disabled(project: Project) -> None:
    with project.start("cat") as command:
        project.run("true")
        coloured, other = status(project), status(project, more={"NO_COLOR": "1"})
        command.communicate()
    assert any(COLOURS.search(codes) for codes in ESCAPES.findall(coloured))
    assert not any(COLOURS.search(codes) for codes in ESCAPES.findall(other))
    assert "cat" in other


def test_a_terminal_that_can_only_print_lines_gets_the_plain_text(project: Project) -> None:
    project.run("true")
    shown = status(project, more={"TERM": "dumb"})
    assert "\x1b" not in shown
    assert shown.split()[:5] == ["TARGET", "PROFILES", "CONNECTIONS", "RUNNING", "OPEN"]
    assert str(project.local / ".rdo.conf") in shown


def test_without_masters_it_reports_that_as_usual(project: Project) -> None:
    assert status(project) == "no connection is open; the next `rdo` opens one\r\n"


LOADED = 'python -I -X importtime -X rdo=rdoctl "$(command -v rdo-client)" status 2>loaded'
"""The loaded modules are written to a file, and the output is on the terminal."""


def test_for_a_terminal_too_it_loads_no_package_but_rdo(project: Project) -> None:
    project.run("true")
    with Terminal(["sh", "-c", f"{LOADED}; echo end"], project.local, project.environment) as terminal:
        shown = terminal.expect("end\r\n")
    loaded = {line.rpartition("|")[2].strip() for line in (project.local / "loaded").read_text().splitlines()}
    assert "─" in shown
    assert "rdo.cli.status_table" in loaded
    packages = {name.partition(".")[0] for name in loaded} - {"rdo", "imported package"}
    assert packages & {"click", "cryptography", "docker", "paramiko", "rich"} == set()
