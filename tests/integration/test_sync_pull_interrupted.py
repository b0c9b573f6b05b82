"""Tests for a pull that is interrupted at any point: each file has one of its two versions, and the next pull completes
it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.one_shell import CutChannel, OneShell
from tests.soak import tries
from tests.sync_target import Side, contents, write
from tests.target_tools import tools_that_kill_the_shell

OLD = {f"dist/{each}": f"old {each}" * 100 for each in range(5)} | {"dist/gone": "gone"}
NEW = {f"dist/{each}": f"new {each}" * 120 for each in range(5)} | {"dist/sub/fresh": "fresh"}


def pulled(tmp_path: Path) -> tuple[OneShell, Side]:
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.push()
    write(side.there, OLD)
    side.pull(b"dist")
    shutil.rmtree(side.there / "dist")
    write(side.there, NEW)
    return pool, side


def check(side: Side) -> None:
    for path in side.here.rglob("*"):
        name = str(path.relative_to(side.here))
        if path.is_file() and ".rdo-sync" not in name:
            assert path.read_text() in (OLD.get(name), NEW.get(name)), name
    side.pool.path = os.environ["PATH"]  # type: ignore[union-attr]
    side.pool.channel = lambda channel: channel  # type: ignore[union-attr]
    side.fresh()
    assert side.pull(b"dist").conflicts == ()
    assert contents(side.here) == contents(side.there)
    assert not (side.here / ".rdo-sync").exists()


@pytest.mark.parametrize("number", range(1, 50, 5 if tries(1, 2) == 1 else 1))
def test_a_pull_that_is_cut_at_any_byte_leaves_nothing_half_done(tmp_path: Path, number: int) -> None:
    pool, side = pulled(tmp_path)
    pool.channel = lambda channel: CutChannel(channel, back=number * 400)  # type: ignore
    with contextlib.suppress(RdoError):
        side.pull(b"dist")
    check(side)
    pool.close()


@pytest.mark.parametrize("number", range(4))
def test_a_target_whose_shell_is_killed_during_a_pull_leaves_nothing_half_done(tmp_path: Path, number: int) -> None:
    pool, side = pulled(tmp_path)
    pool.path = tools_that_kill_the_shell(tmp_path / "tools", number, after=False)
    with contextlib.suppress(RdoError):
        side.pull(b"dist")
    check(side)
    pool.close()


STEPS = ("rename", "unlink", "mkdir", "link", "replace", "symlink")
"""The system calls that change a directory here."""


@pytest.mark.parametrize("number", range(24))
def test_a_master_that_is_killed_during_a_pull_leaves_nothing_half_done(tmp_path: Path, number: int) -> None:
    pool, side = pulled(tmp_path)
    child = os.fork()
    if child == 0:
        die_at(number)
        try:
            side.fresh()
            side.pull(b"dist")
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    check(side)
    pool.close()


def die_at(number: int) -> None:
    """End this process at the step with that number."""
    count = iter(range(1000))
    for name in STEPS:
        step = getattr(os, name)

        def dying(*words: object, step: Callable[..., object] = step, **more: object) -> object:
            if next(count) == number:
                os._exit(9)
            return step(*words, **more)

        setattr(os, name, dying)
