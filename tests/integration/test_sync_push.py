"""Tests for the effect of a push on a target: on files of the project, on files of others, and on earlier ones."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.odd_tree import fill
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, tree_of, write


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Side]:
    """A project, and a target."""
    pool = OneShell()
    yield Side(tmp_path, pool)
    pool.close()


def test_fractions_of_a_second_are_preserved(plain: Side) -> None:
    plain.write({"a": "1"})
    os.utime(plain.here / "a", ns=(1, 1_600_000_000_123_456_789))
    plain.push()
    assert (plain.there / "a").stat().st_mtime_ns == 1_600_000_000_123_456_789


def test_files_of_others_are_left_alone(plain: Side) -> None:
    write(plain.there, {"theirs": "1", "src/theirs": "2", "sub/dir/theirs": "3"})
    plain.write({"src/ours": "4", "sub/dir/ours": "5"})
    plain.push()
    shutil.rmtree(plain.here / "src")
    shutil.rmtree(plain.here / "sub")
    plain.push()
    assert {path for path in contents(plain.there) if path.endswith(b"s")} == {
        b"theirs", b"src/theirs", b"sub/dir/theirs"
    }  # fmt: skip


def test_an_existing_directory_is_kept_although_it_is_empty(plain: Side) -> None:
    (plain.there / "src").mkdir(parents=True)
    plain.write({"src/a": "1", "new/b": "2"})
    plain.push()
    shutil.rmtree(plain.here / "src")
    shutil.rmtree(plain.here / "new")
    plain.push()
    assert sorted(contents(plain.there)) == [b"src"]


def test_a_read_only_directory_is_kept_up_to_date(plain: Side, tmp_path: Path) -> None:
    plain.write({"locked/a": "1", "locked/b": "2"})
    (plain.here / "locked").chmod(0o555)
    plain.push()
    assert plain.is_same
    (plain.here / "locked").chmod(0o755)
    plain.write({"locked/a": "changed"})
    (plain.here / "locked").chmod(0o555)
    plain.push()
    assert plain.is_same


def test_files_in_a_read_only_directory_can_be_removed(plain: Side) -> None:
    plain.write({"locked/a": "1", "locked/below/b": "2", "opened/a": "1"})
    for name in ("locked/below", "locked", "opened"):
        (plain.here / name).chmod(0o555)
    plain.push()
    for name in ("locked", "locked/below", "opened"):
        (plain.here / name).chmod(0o755)
    shutil.rmtree(plain.here / "locked")
    (plain.here / "opened/a").unlink()
    plain.write({"opened/b": "2"})
    plain.push()
    assert plain.is_same


def test_a_newly_installed_target_gets_everything_again(plain: Side) -> None:
    fill(plain)
    plain.push()
    shutil.rmtree(plain.there)
    plain.write({"src/app.py": "changed"})
    plain.push()
    assert plain.is_same


def test_a_file_that_was_removed_there_is_pushed_again_when_it_changes(plain: Side) -> None:
    fill(plain)
    plain.push()
    shutil.rmtree(plain.there / "src")
    plain.write({"src/app.py": "changed", "src/deep/er/one": "changed"})
    plain.push()
    assert (plain.there / "src/app.py").read_text() == "changed"
    assert (plain.there / "src/deep/er/one").read_text() == "changed"


def test_a_new_master_knows_the_state_of_the_target(plain: Side) -> None:
    fill(plain)
    plain.push()
    before = (plain.there / "README").stat().st_ino
    plain.fresh()
    plain.write({"src/app.py": "changed"})
    assert plain.push().put == 1
    assert plain.is_same
    assert (plain.there / "README").stat().st_ino == before


def test_an_unchanged_tree_costs_nothing(plain: Side) -> None:
    fill(plain)
    tree = tree_of(plain.here)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    jobs = plain.pool.jobs  # type: ignore[union-attr]
    assert plain.tree.is_current(plain.use, tree)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    assert plain.pool.jobs == jobs  # type: ignore[union-attr]


def test_after_a_lost_connection_nothing_is_considered_current(plain: Side) -> None:
    tree = tree_of(plain.here)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    plain.pool.connections[0].keepalive.ended = True  # type: ignore[index]
    assert not plain.tree.is_current(plain.use, tree)


def test_known_files_are_not_sent_again(plain: Side) -> None:
    fill(plain)
    plain.push()
    plain.tree.forget()
    log = next(plain.there.glob(".rdo-sync/*/manifest"))
    log.write_bytes(b"not to be read")
    plain.write({"README": "changed"})
    assert plain.push().put == 1
    assert (plain.there / "README").read_text() == "changed"


def test_the_log_is_rewritten_when_it_is_long(plain: Side) -> None:
    plain.write({"kept": "1"})
    for number in range(4):
        plain.write({f"f{each}": str(number) for each in range(400)})
        plain.push()
        for path in plain.here.glob("f*"):
            path.unlink()
        plain.push()
    log = next(plain.there.glob(".rdo-sync/*/manifest")).read_bytes()
    assert log.count(b"\n") < 4000
    plain.fresh()
    plain.write({"kept": "2"})
    plain.push()
    assert plain.is_same


def test_setuid_of_ones_own_files_is_kept(plain: Side) -> None:
    plain.write({"a": "1"})
    (plain.here / "a").chmod(0o4755)
    plain.push()
    assert stat.S_IMODE((plain.there / "a").stat().st_mode) == 0o4755


def test_a_file_that_vanishes_meanwhile_is_left_out(plain: Side) -> None:
    plain.write({"a": "1", "b": "2"})
    tree = dict(tree_of(plain.here))
    (plain.here / "a").unlink()
    result = plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    assert not result.complete
    assert not plain.tree.is_current(plain.use, tree)
    assert sorted(contents(plain.there)) == [b"b"]
    assert plain.push().complete


@pytest.mark.skipif(os.geteuid() != 0, reason="files are made unreadable by a link to what is none")
def test_a_link_in_place_of_a_file_is_not_followed(plain: Side, tmp_path: Path) -> None:
    plain.write({"a": "1", "d/b": "2"})
    tree = tree_of(plain.here)
    (tmp_path / "secret").write_text("secret")
    (plain.here / "a").unlink()
    (plain.here / "a").symlink_to(tmp_path / "secret")
    shutil.rmtree(plain.here / "d")
    (plain.here / "d").symlink_to(tmp_path)
    (tmp_path / "b").write_text("secret")
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    assert b"secret" not in repr(contents(plain.there)).encode()


def test_an_unreadable_local_file_is_one_line(plain: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.write({"a": "1", "b": "2"})
    plain.push()
    plain.write({"a": "changed", "b": "changed"})
    opened = os.open

    def refusing(path: object, *more: object, **others: object) -> int:
        if path == b"b":
            raise PermissionError(13, "Permission denied")
        return opened(path, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)
    before = contents(plain.there)
    with pytest.raises(RdoError) as caught:
        plain.push()
    monkeypatch.undo()
    hint = "fix its permissions, or add it to `exclude`"
    assert str(caught.value) == f"cannot read `b` to copy it to the target: permission denied; {hint}"
    assert contents(plain.there) == before
    plain.push()
    assert plain.is_same
