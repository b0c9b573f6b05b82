"""Tests for files on a target that are not as rdo has left them: they are never overwritten or removed, and one line
reports it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from rdo.sync.conflict import SyncConflict
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, pushed_side, refuse, tree_of, write
from tests.target_tools import tools

HINT = "see `rdoctl sync diff`; then `rdoctl sync take here PATH`, or `there`"


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    with pushed_side(tmp_path) as side:
        yield side


def edit(path: Path) -> None:
    path.write_text("theirs")


def edit_in_the_same_second(path: Path) -> None:
    """Keep size and time: only the time of the inode's change differs."""
    info = path.stat()
    path.write_text("9")
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def make_a_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/passwd")


def make_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: list[Callable[[Path], None]] = [edit, edit_in_the_same_second, make_a_link, make_a_fifo]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("removed", [False, True], ids=["put", "removed"])
def test_a_file_that_was_changed_on_the_target_is_left_alone(
    side: Side, change: Callable[[Path], None], removed: bool
) -> None:
    change(side.there / "src/c")
    side.write({"a": "also changed here"})
    if removed:
        (side.here / "src/c").unlink()
    else:
        side.write({"src/c": "changed here"})
    assert refuse(side) == f"did not copy files to `here`: `src/c` has changed there; {HINT}"
    assert side.tree.differences(side.use, os.fsencode(side.here), tree_of(side.here))[-1][::2] == (b"src/c", "changed")


def test_an_existing_file_is_left_alone(side: Side) -> None:
    write(side.there, {"new": "theirs", "dir/new": "theirs"})
    side.write({"new": "ours", "dir/new": "ours"})
    assert refuse(side) == f"did not copy files to `here`: `dir/new` and `new` were there before rdo; {HINT}"


def test_no_more_than_the_first_few_are_named(side: Side) -> None:
    write(side.there, {f"f{each}": "theirs" for each in range(9)})
    side.write({f"f{each}": "ours" for each in range(9)})
    assert "`f0`, `f1`, `f2` and 6 more were there" in refuse(side)


def test_a_directory_in_place_of_a_file_is_left_alone(side: Side) -> None:
    write(side.there, {"new/theirs": "theirs"})
    side.write({"new": "ours"})
    assert "`new` was there before rdo" in refuse(side)


def test_a_file_in_place_of_a_directory_is_left_alone(side: Side) -> None:
    write(side.there, {"new": "theirs"})
    side.write({"new/ours": "ours"})
    assert "`new` was there before rdo" in refuse(side)


def test_a_file_in_place_of_rdos_directory_is_a_change(side: Side) -> None:
    shutil.rmtree(side.there / "src")
    write(side.there, {"src": "theirs"})
    side.write({"src/c": "ours"})
    assert "`src` has changed there" in refuse(side)


def test_an_equal_file_is_not_a_conflict(side: Side) -> None:
    write(side.there, {"new": "equal", "a": "2"})
    side.write({"new": "equal", "a": "2"})
    os.utime(side.there / "b")
    (side.there / "src/c").chmod(0o600)
    side.write({"b": "changed"})
    (side.here / "src/c").unlink()
    side.push()
    assert side.is_same


def test_an_existing_clone_is_adopted(tmp_path: Path) -> None:
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.write({f"d{each % 7}/{each}": str(each) for each in range(600)})
    (side.here / "link").symlink_to("d0")
    shutil.copytree(side.here, side.there, symlinks=True)
    side.push()
    assert side.is_same
    pool.close()


def test_a_removed_file_is_not_a_conflict(side: Side) -> None:
    (side.there / "a").unlink()
    shutil.rmtree(side.there / "src")
    (side.here / "a").unlink()
    shutil.rmtree(side.here / "src")
    side.push()
    assert side.is_same


@pytest.mark.parametrize("path", ["src", "src/deep"])
def test_a_link_in_the_path_is_not_followed(side: Side, tmp_path: Path, path: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(side.there / path, elsewhere)
    (side.there / path).symlink_to(elsewhere)
    before = contents(elsewhere)
    side.write({"src/deep/d": "changed", "src/deep/e": "new"})
    with pytest.raises(RdoError) as caught:
        side.push()
    hint = "replace it with a directory there, or add it to `exclude`"
    assert str(caught.value) == f"cannot copy files into `{path}` on `here`: it is a symbolic link there; {hint}"
    assert contents(elsewhere) == before


@pytest.mark.parametrize("name", [".rdo-sync", "state"])
def test_a_link_in_place_of_rdos_own_directory_is_refused(side: Side, tmp_path: Path, name: str) -> None:
    state = side.there / ".rdo-sync"
    path = state if name == ".rdo-sync" else next(each for each in state.iterdir() if each.is_dir())
    elsewhere = tmp_path / "elsewhere"
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)
    side.write({"a": "changed"})
    with pytest.raises(RdoError, match=r"`\.rdo-sync` there is a symbolic link; remove it there"):
        side.push()


def test_a_second_machine_overwrites_nothing_of_the_first_and_reports_it(side: Side) -> None:
    assert not side.tree.others
    second = side.fresh("other-state")
    tree = tree_of(side.here)
    second.push(side.use, os.fsencode(side.here), tree)
    assert second.others
    side.write({"a": "of the second"})
    second.push(side.use, os.fsencode(side.here), tree_of(side.here))
    first = side.fresh()
    side.write({"a": "of the first"})
    with pytest.raises(SyncConflict):
        first.push(side.use, os.fsencode(side.here), tree_of(side.here))
    assert (side.there / "a").read_text() == "of the second"


def test_without_a_program_for_digests_a_touched_file_is_considered_changed(tmp_path: Path) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=["sha256sum"]))
    side = Side(tmp_path, pool)
    side.write({"a": "1", "b": "2"})
    side.push()
    side.write({"a": "3"})
    side.push()
    os.utime(side.there / "a")
    side.write({"a": "4"})
    assert "`a` has changed there" in refuse(side)
    pool.close()
