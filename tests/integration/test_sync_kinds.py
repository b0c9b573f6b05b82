"""Tests for paths, on both sides, that become another kind of file, or get another mode."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.one_shell import OneShell
from tests.sync_target import Side, contents, write


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    pool = OneShell()
    yield Side(tmp_path, pool)
    pool.close()


@pytest.mark.parametrize("fresh", [False, True], ids=["same-master", "fresh-master"])
def test_a_directory_with_a_changed_mode_is_still_removed_there(side: Side, fresh: bool) -> None:
    side.write({"sub/deep/a": "1"})
    side.push()
    for name in ("sub", "sub/deep"):
        (side.here / name).chmod(0o700)
    side.push()
    assert side.is_same
    if fresh:
        side.fresh()
    shutil.rmtree(side.here / "sub")
    side.push()
    assert contents(side.there) == {}


def test_a_directory_of_others_is_kept_although_its_mode_was_changed_here(side: Side) -> None:
    (side.there / "sub").mkdir(parents=True)
    side.write({"sub/a": "1"})
    side.push()
    (side.here / "sub").chmod(0o700)
    side.push()
    shutil.rmtree(side.here / "sub")
    side.push()
    assert list(contents(side.there)) == [b"sub"]


def test_files_behind_a_link_do_not_prevent_its_replacement_by_a_directory(side: Side, tmp_path: Path) -> None:
    write(tmp_path, {"outside/a": "theirs"})
    side.write({"inside/a": "old"})
    (side.here / "near").symlink_to("inside")
    (side.here / "far").symlink_to(tmp_path / "outside")
    side.push()
    for name in ("near", "far"):
        (side.here / name).unlink()
        side.write({f"{name}/a": "new", f"{name}/deep/b": "new"})
    side.push()
    assert side.is_same
    assert (tmp_path / "outside/a").read_text() == "theirs"
    for name in ("near", "far"):
        shutil.rmtree(side.here / name)
    side.push()
    assert side.is_same


def test_files_behind_a_link_do_not_prevent_it_if_something_else_changed(side: Side) -> None:
    side.write({"inside/a": "old", "other": "1"})
    (side.here / "near").symlink_to("inside")
    side.push()
    (side.there / "other").write_text("same")
    (side.here / "near").unlink()
    side.write({"near/a": "new", "other": "same"})
    side.push()
    assert (side.there / "near/a").read_text() == "new"


def test_a_pulled_file_a_directory_and_a_link_replace_each_other(side: Side) -> None:
    side.push()
    write(side.there, {"dist/file": "1", "dist/sub/a": "1", "dist/tree/a/b": "1"})
    (side.there / "dist/link").symlink_to("sub")
    (side.there / "dist/again").symlink_to("sub")
    side.pull(b"dist")
    for name in ("file", "link", "again"):
        (side.there / "dist" / name).unlink()
    shutil.rmtree(side.there / "dist/tree")
    write(side.there, {"dist/file/x/y": "2", "dist/link/a": "2", "dist/again": "2", "dist/tree": "2"})
    assert side.pull(b"dist").conflicts == ()
    assert contents(side.here) == contents(side.there)


def test_locally_changed_files_are_not_replaced(side: Side) -> None:
    side.push()
    write(side.there, {"dist/file": "1", "dist/tree/a": "1"})
    side.pull(b"dist")
    side.write({"dist/file": "mine", "dist/tree/mine": "mine"})
    (side.there / "dist/file").unlink()
    shutil.rmtree(side.there / "dist/tree")
    write(side.there, {"dist/file/x": "2", "dist/tree": "2"})
    assert side.pull(b"dist").conflicts == (b"dist/file/x", b"dist/tree")
    assert (side.here / "dist/file").read_text() == "mine"
    assert (side.here / "dist/tree/mine").read_text() == "mine"


def test_a_pulled_directory_has_the_mode_that_it_has_there(side: Side) -> None:
    side.push()
    side.write({"dist/mine/": ""})
    write(side.there, {"dist/sub/a": "1", "dist/mine/a": "1"})
    side.pull(b"dist")
    for name in ("sub", "mine"):
        (side.there / "dist" / name).chmod(0o710)
    side.pull(b"dist")
    assert [(side.here / "dist" / name).stat().st_mode & 0o777 for name in ("sub", "mine")] == [0o710, 0o755]


def test_a_directory_is_taken_from_there_with_its_content(side: Side) -> None:
    side.write({"src/a": "mine", "src/deep/b": "mine", "src/c": "mine", "other": "mine"})
    side.push()
    side.write({"src/a": "mine!", "src/deep/b": "mine!", "src/c": "mine!", "other": "mine!"})
    (side.there / "src/c").unlink()
    write(side.there, {"src/a": "theirs", "src/deep/b": "theirs", "src/c/d": "theirs", "other": "theirs"})
    result = side.tree.take_there(side.use, os.fsencode(side.here), [b"src"])
    assert (result.pulled, result.conflicts) == (3, ())
    assert (side.here / "other").read_text() == "mine!"
    (side.here / "other").write_text("theirs")
    side.push()
    assert side.is_same


@pytest.mark.skipif(shutil.which("yash") is None, reason="yash is not installed")
def test_a_name_that_the_remote_shell_cannot_handle_is_reported_and_skipped(tmp_path: Path) -> None:
    pool = OneShell("yash")
    side = Side(tmp_path, pool)
    side.push()
    write(side.there, {"dist/a": "1", "other": "1"})
    for odd in (b"dist/\xff", b"not pulled \xff"):
        Path(os.fsdecode(os.fsencode(side.there) + b"/" + odd)).write_text("1")
    result = side.pull(b"dist")
    pool.close()
    assert (result.pulled, [each.path for each in result.refused]) == (1, [b"dist/\xff"])
    assert "yash" in result.refused[0].why


def test_tar_options_of_a_user_there_do_not_affect_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAR_OPTIONS", "--exclude=*.o --gzip")
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.write({"a.o": "1", "large": b"x" * 300_000})
    side.push()
    assert side.is_same
    write(side.there, {"dist/b.o": "2"})
    side.pull(b"dist")
    pool.close()
    assert side.is_same
