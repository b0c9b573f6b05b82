"""Tests for removing the files of masters that are gone, and nothing that is in use."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.master import stale_files

NAME = "control-0123456789abcdef"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A runtime directory with a short path."""
    with tempfile.TemporaryDirectory(prefix="rdo-", dir="/tmp") as made:
        yield Path(made)


def bound(path: Path) -> socket.socket:
    """A bound socket. If it is closed, nobody listens at its path."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    return made


def names(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()}


def test_only_a_log_with_content_is_kept_of_a_master_that_is_gone(directory: Path) -> None:
    for end in ("", ".a1b2c3", "+"):
        bound(directory / f"{NAME}{end}").close()
    (directory / f"{NAME}.lock").touch()
    (directory / f"{NAME}.log").touch()
    (directory / "control.log").write_text("Traceback")
    stale_files.clear(str(directory))
    assert names(directory) == {"control.log"}
    os.utime(directory / "control.log", (0, 0))
    stale_files.clear(str(directory))
    assert names(directory) == set()


def test_nothing_of_a_master_that_listens_is_removed(directory: Path) -> None:
    with bound(directory / NAME) as listener, bound(directory / f"{NAME}.a1b2c3") as ending:
        listener.listen()
        ending.listen()
        (directory / f"{NAME}.log").touch()
        stale_files.clear(str(directory))
        assert names(directory) >= {NAME, f"{NAME}.a1b2c3", f"{NAME}.log"}


def test_nothing_is_removed_while_a_master_is_being_started(directory: Path) -> None:
    bound(directory / f"{NAME}+").close()
    lock = os.open(directory / f"{NAME}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    stale_files.clear(str(directory))
    os.close(lock)
    assert names(directory) == {f"{NAME}+", f"{NAME}.lock"}


def test_other_files_are_left_alone(directory: Path) -> None:
    for name in ("notes", "control-0123456789abcde", f"{NAME}.txt", f"{NAME}.lock.bak"):
        (directory / name).touch()
    before = names(directory)
    stale_files.clear(str(directory))
    assert names(directory) == before
    stale_files.clear("/nowhere")
