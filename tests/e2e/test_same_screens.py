"""Tests that interactive programs look the same as with `ssh -t`, key by key."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import require
from tests.e2e.project import Project
from tests.e2e.screen import Screen
from tests.e2e.sessions import PASTE, SESSIONS, Session, Step
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")

SSH = """#!/bin/sh
exec ssh -q -F {config} -t devbox "cd {remote} && exec sh it"
"""
RDO = """#!/bin/sh
exec rdo sh it
"""

ENDS = {"st=130": "st=a signal's", "st=131": "st=a signal's"}

TIMEOUT = 20.0
"""Seconds for both screens to show the same."""


class Screens(NamedTuple):
    """Two screens on which the same is typed: `it` runs a script by rdo on one, and by ssh on the other."""

    rdo: Screen
    ssh: Screen

    def step(self, step: Step) -> str:
        """Type. Both screens have to change, show the expected text, and be the same. Returns the difference
        otherwise.
        """
        before = comparable(self.rdo)
        for screen in self:
            if step.size:
                screen.resize(*step.size)
            press(screen, step.keys)
        seen: list[tuple[str, ...]] = []

        def same() -> bool:
            seen.append(tuple(comparable(screen) for screen in self))
            return before != seen[-1][0] == seen[-1][1] and step.shows in seen[-1][0]

        if wait_until(same, TIMEOUT):
            return ""
        return f"after {step.keys}, {step.shows!r} expected:\n-- rdo:\n{seen[-1][0]}\n-- ssh:\n{seen[-1][1]}"


def clear(screen: Screen) -> None:
    """Clear the screen except for a prompt, including anything typed before the prompt appeared."""
    screen.type("-l", "clear")
    screen.wait_for(lambda _: screen.visible.endswith("$ clear"))
    screen.type("Enter")
    screen.wait_for(lambda _: screen.visible == "$")


def press(screen: Screen, keys: Sequence[str]) -> None:
    """Press the keys: single characters at once, others by name."""
    for single, group in groupby(keys, lambda key: len(key) == 1):
        if single:
            screen.type("-l", "".join(group))
            continue
        for key in group:
            if key.startswith(PASTE):
                screen.paste(key.removeprefix(PASTE))
            else:
                screen.type(key)


def comparable(screen: Screen) -> str:
    """The visible text and the cursor position, without parts that differ in each run.

    rdo ends like the command, so that the shell begins a new line after Ctrl-C; ssh ends with status 255.
    """
    visible, cursor = screen.view
    text = re.sub(r"\d\d:\d\d:\d\d|/dev/pts/\d+|\[\d+\] \d+", "*", visible)
    text = re.sub(r"\s*\$ echo st=\$\?", "\n$ echo", text)
    text = re.sub(r"(?m)^st=(130|131|255)$", "st=a signal's", text)
    if text.endswith("$"):
        return f"{text.removesuffix('$').rstrip()}\n$"
    return f"{text}\n{cursor}"


def play(twins: Screens, session: Session, script: Path) -> str:
    """Play a session whose command is written to the script. Returns the first difference, if there is one."""
    script.write_text(f"exec {session.command}\n")
    for screen in twins:
        clear(screen)
    steps = [Step((*f"{session.before}it", "Enter"), session.shows), *session.steps]
    for step in [*steps, Step((*"echo st=$?", "Enter"), ENDS.get(session.status, session.status))]:
        if difference := twins.step(step):
            return f"{session.name}: {difference}"
    return ""


def program(directory: Path, text: str) -> str:
    """A directory for PATH in which this text is the program `it`."""
    directory.mkdir()
    (directory / "it").write_text(text)
    (directory / "it").chmod(0o755)
    return str(directory)


@pytest.mark.parametrize("kind", SESSIONS)
def test_a_session_looks_as_it_does_with_ssh(project: Project, tmp_path: Path, kind: str) -> None:
    for name in ("tmux", "ssh"):
        if not shutil.which(name):
            require(name, f"{name} is not installed")
    (project.remote / "lines").write_text("".join(f"line {number}\n" for number in range(1, 400)))
    assert project.run("true").returncode == 0
    script = project.remote / "it"
    remote = str(project.remote).replace("'", "\\\\'").replace(" ", "\\\\ ")
    text = SSH.format(config=project.environment["RDO_SSH_CONFIG"], remote=remote)
    directories = program(tmp_path / "rdo", RDO), program(tmp_path / "ssh", text)
    paths = (os.pathsep.join((directory, project.environment["PATH"])) for directory in directories)
    rdo, ssh = ({**project.environment, "PATH": path} for path in paths)
    with Screen(project.local, rdo) as one, Screen(project.local, ssh) as other:
        twins = Screens(one, other)
        played = [session for session in SESSIONS[kind] if shutil.which(session.program)]
        difference = next((found for session in played if (found := play(twins, session, script))), "")
    assert not difference, difference
    if missing := {session.program for session in SESSIONS[kind] if session not in played}:
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
