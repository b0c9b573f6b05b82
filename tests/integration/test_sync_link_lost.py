"""Tests for a connection that is lost during a copy: the error says what was not done, and what to type."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.errors import LinkLost, RdoError
from rdo.sync.project_state import ProjectState
from rdo.sync.project_sync import ProjectSync, SyncPlace
from rdo.sync.rules import SyncRules
from tests.one_shell import CutChannel, OneShell
from tests.sync_target import Side

WHY = "the connection was lost (the test cut it)"


class Project:
    """A project with files on each side that the other side does not have."""

    def __init__(self, directory: Path) -> None:
        self.pool = OneShell()
        self.side = Side(directory, self.pool)
        environment = {**os.environ, "XDG_STATE_HOME": str(directory / "state")}
        place = SyncPlace(str(self.side.here), str(self.side.there), "here", SyncRules("push", pull=("out/**",)))
        state = ProjectState(environment, os.fsencode(place.root), place.target, place.directory)
        self.sync = ProjectSync(place, state)
        self.side.caller.environment = environment
        self.side.write({"a": "1"})
        self.sync.push(self.side.use)
        self.side.write({"a": "2"})
        (self.side.there / "out").mkdir()
        (self.side.there / "out" / "made").write_text("1")

    def cut(self) -> None:
        self.pool.channel = lambda channel: CutChannel(channel, back=0)  # type: ignore

    def mend(self) -> None:
        self.pool.channel = lambda channel: channel

    def close(self) -> None:
        self.sync.close()
        self.pool.close()


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()


CASES: dict[str, tuple[Callable[[Project], object], str]] = {
    "push": (
        lambda project: project.sync.push(project.side.use),
        f"cannot copy files to `here`: {WHY}; no command was started; try again: that resumes the copy",
    ),
    "pull": (
        lambda project: project.sync.pull(project.side.use),
        f"cannot copy files from `here`: {WHY}; `rdo --sync-only` resumes the copy",
    ),
    "diff": (
        lambda project: project.sync.differences(project.side.use),
        f"cannot compare files with `here`: {WHY}; try again",
    ),
    "look": (
        lambda project: project.sync.lose_missing(project.side.use),
        f"cannot compare files with `here`: {WHY}; try again",
    ),
    "take here": (
        lambda project: project.sync.take_here(project.side.use, [b"a"]),
        f"cannot copy files to `here`: {WHY}; try again",
    ),
    "take there": (
        lambda project: project.sync.take_there(project.side.use, [b"out"]),
        f"cannot copy files from `here`: {WHY}; try again",
    ),
}


@pytest.mark.parametrize("what", CASES)
def test_a_copy_that_a_lost_connection_interrupted_is_reported_and_can_be_repeated(project: Project, what: str) -> None:
    run, expected = CASES[what]
    project.cut()
    with pytest.raises(LinkLost) as caught:
        run(project)
    assert str(caught.value) == expected
    project.mend()
    run(project)


def test_a_project_in_which_nothing_can_be_received_is_named(project: Project) -> None:
    state = project.side.here / ".rdo-sync"
    state.write_text("")
    with pytest.raises(RdoError) as caught:
        project.sync.pull(project.side.use)
    where = f"cannot write to `{state}`, where files from the target are received"
    assert str(caught.value) == f"{where}: not a directory; fix what is in its way"
    state.unlink()
    project.sync.pull(project.side.use)
    assert (project.side.here / "out" / "made").read_text() == "1"
