"""Tests for the effect of a push with every shell that may be the target's /bin/sh, and with minimal programs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.odd_tree import fill
from tests.one_shell import OneShell
from tests.sync_target import Side, texts, tree_of
from tests.target_tools import tools
from tests.unit.remote_sh.shells import SHELLS

EVERY = [*SHELLS, "small"]
"""The shells, and busybox's without any other programs."""


@pytest.fixture(params=EVERY)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    """A project, and a target of each kind."""
    small = request.param == "small"
    shell = "busybox" if small else request.param
    if shutil.which(SHELLS[shell].split()[0]) is None:
        pytest.skip(f"{shell} is not installed")
    pool = OneShell(shell, tools(tmp_path / "tools", busybox=True) if small else "")
    yield Side(tmp_path, pool)
    pool.close()


def test_any_tree_arrives_unchanged(side: Side) -> None:
    fill(side)
    assert side.push().put == len(tree_of(side.here))
    assert side.is_same
    assert side.left == []
    assert side.push() == (0, 0, 0, True)


def test_a_backslash_in_the_remote_directory_is_preserved(side: Side, tmp_path: Path) -> None:
    other = Side(tmp_path, side.pool, tmp_path / "a\\tb\\\\c")
    other.write({"a\\tb": "1"})
    other.push()
    assert texts(other.there) == {b"a\\tb": b"1"}


def test_changes_are_pushed_and_removed_files_are_removed(side: Side) -> None:
    fill(side)
    side.push()
    jobs = side.pool.jobs  # type: ignore[union-attr]
    side.write({"src/app.py": "changed", "src/new/file": "new", "README": "more\n"})
    os.utime(side.here / "src/app.py", (1_600_000_001, 1_600_000_001))
    os.utime(side.here / "src/new/file", (1_600_000_001, 1_600_000_001))
    os.utime(side.here / "README", (1_600_000_001, 1_600_000_001))
    shutil.rmtree(side.here / ("n" * 120))
    (side.here / "new\nline").unlink()
    (side.here / "-rf").rename(side.here / "-fr")
    (side.here / "link").unlink()
    (side.here / "link").symlink_to("README")
    (side.here / "run me.sh").chmod(0o644)
    (side.here / "empty").chmod(0o755)
    side.push()
    assert side.is_same
    assert side.left == []
    assert side.pool.jobs == jobs + 1  # type: ignore[union-attr]


def test_a_file_a_directory_and_a_link_replace_each_other(side: Side) -> None:
    side.write({"a": "file", "b/c/d": "directory", "b/e": "1", "f": "file"})
    (side.here / "g").symlink_to("a")
    side.push()
    for name in ("a", "f", "g"):
        (side.here / name).unlink()
    shutil.rmtree(side.here / "b")
    side.write({"a/x/y": "now a directory", "b": "now a file", "g/h": "was a link"})
    (side.here / "f").symlink_to("b")
    for path in side.here.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1_600_000_000, 1_600_000_000))
    side.push()
    assert side.is_same


def test_a_name_that_is_not_text_arrives(side: Side) -> None:
    if "yash" in getattr(side.pool, "words", ""):
        pytest.skip("yash takes only characters of its locale")
    name = os.fsdecode(b"\xff\xfe\x01")
    side.write({name: "1", f"{name}d/{name}": "2"})
    for path in side.here.rglob("*"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    side.push()
    assert side.is_same
    (side.here / name).unlink()
    side.push()
    assert side.is_same


@pytest.mark.skipif(shutil.which("yash") is None, reason="yash is not installed")
def test_a_name_that_the_shell_cannot_handle_is_reported_until_it_is_gone(tmp_path: Path) -> None:
    pool = OneShell("yash")
    side = Side(tmp_path, pool)
    name = os.fsdecode(b"\xff")
    side.write({"a": "1", name: "2"})
    with pytest.raises(RdoError) as caught:
        side.push()
    why = "/bin/sh there is yash, which accepts only characters of its locale"
    hint = "rename it, add it to `exclude`, or use another shell as /bin/sh there"
    assert str(caught.value) == f"cannot copy `\\xff` to `here`: {why}; {hint}"
    (side.here / name).unlink()
    side.push()
    assert side.is_same
    pool.close()


def test_with_a_tar_without_fractions_times_are_rounded_up(tmp_path: Path) -> None:
    pool = OneShell("busybox", tools(tmp_path / "tools", busybox=True))
    side = Side(tmp_path, pool)
    side.write({"a": "1"})
    os.utime(side.here / "a", ns=(1, 1_600_000_000_000_000_001))
    side.push()
    assert (side.there / "a").stat().st_mtime_ns == 1_600_000_001_000_000_000
    pool.close()


@pytest.mark.parametrize("program", ["tar", "stat", "mkdir"])
def test_a_target_without_a_program_is_reported_in_one_line(tmp_path: Path, program: str) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=[program]))
    side = Side(tmp_path, pool)
    side.write({"a": "1"})
    with pytest.raises(RdoError) as caught:
        side.push()
    package = "tar" if program == "tar" else "coreutils"
    hint = f"install it there ({package}), or use `rdo --no-sync`"
    assert str(caught.value) == f"cannot copy files to `here`: it has no usable `{program}`; {hint}"
    pool.close()
