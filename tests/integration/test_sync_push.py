"""What a push leaves on a target, under every shell that may be its /bin/sh, and with small programs."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.sync_target import OneShell, Side, contents, tools, tree_of, write
from tests.unit.remote_sh.shells import SHELLS

EVERY = [*SHELLS, "small"]
"""The shells, and busybox's with no other programs than its own."""


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


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Side]:
    """The same under one shell."""
    pool = OneShell()
    yield Side(tmp_path, pool)
    pool.close()


def fill(side: Side) -> None:
    side.write({
        "README": "text\n", "src/app.py": "print()\n", "src/deep/er/one": "1", "run me.sh": "#!/bin/sh\n",
        "it's \"$x\" `y` \\n": "odd", "new\nline": "odd", "-rf": "odd", "n" * 120 + "/" + "m" * 200: "long",
        "empty/": "", "zero": b"", "bytes": bytes(range(256)),
    })  # fmt: skip
    (side.here / "run me.sh").chmod(0o755)
    (side.here / "empty").chmod(0o700)
    (side.here / "link").symlink_to("src/app.py")
    (side.here / "src/out").symlink_to("/etc/" + "x" * 150)
    os.utime(side.here / "README", (1_600_000_000, 1_600_000_000))
    for path in side.here.rglob("*"):  # in whole seconds, which every tar can tell
        if not path.is_symlink():
            os.utime(path, (1_600_000_000, 1_600_000_000))


def test_all_that_a_tree_may_hold_arrives_as_it_is(side: Side) -> None:
    fill(side)
    assert side.push().put == len(tree_of(side.here))
    assert side.is_same
    assert side.left == []
    assert side.push() == (0, 0, 0, True)


def test_what_changed_is_put_and_what_is_gone_is_removed(side: Side) -> None:
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


def test_a_file_a_directory_and_a_link_take_each_others_place(side: Side) -> None:
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
def test_a_name_that_the_shell_cannot_take_is_told_and_no_obstacle_once_it_is_gone(tmp_path: Path) -> None:
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


def test_fractions_of_a_second_arrive(plain: Side) -> None:
    plain.write({"a": "1"})
    os.utime(plain.here / "a", ns=(1, 1_600_000_000_123_456_789))
    plain.push()
    assert (plain.there / "a").stat().st_mtime_ns == 1_600_000_000_123_456_789


def test_a_tar_that_knows_no_fractions_rounds_up(tmp_path: Path) -> None:
    pool = OneShell("busybox", tools(tmp_path / "tools", busybox=True))
    side = Side(tmp_path, pool)
    side.write({"a": "1"})
    os.utime(side.here / "a", ns=(1, 1_600_000_000_000_000_001))
    side.push()
    assert (side.there / "a").stat().st_mtime_ns == 1_600_000_001_000_000_000
    pool.close()


def test_what_is_there_of_others_is_let_be(plain: Side) -> None:
    write(plain.there, {"theirs": "1", "src/theirs": "2", "sub/dir/theirs": "3"})
    plain.write({"src/ours": "4", "sub/dir/ours": "5"})
    plain.push()
    shutil.rmtree(plain.here / "src")
    shutil.rmtree(plain.here / "sub")
    plain.push()
    assert {path for path in contents(plain.there) if path.endswith(b"s")} == {
        b"theirs", b"src/theirs", b"sub/dir/theirs"
    }  # fmt: skip


def test_a_directory_that_was_there_before_stays_though_it_is_empty(plain: Side) -> None:
    (plain.there / "src").mkdir(parents=True)
    plain.write({"src/a": "1", "new/b": "2"})
    plain.push()
    shutil.rmtree(plain.here / "src")
    shutil.rmtree(plain.here / "new")
    plain.push()
    assert sorted(contents(plain.there)) == [b"src"]


def test_a_directory_without_the_right_to_write_is_kept_up_to_date(plain: Side, tmp_path: Path) -> None:
    plain.write({"locked/a": "1", "locked/b": "2"})
    (plain.here / "locked").chmod(0o555)
    plain.push()
    assert plain.is_same
    (plain.here / "locked").chmod(0o755)
    plain.write({"locked/a": "changed"})
    (plain.here / "locked").chmod(0o555)
    plain.push()
    assert plain.is_same


def test_a_target_that_was_set_up_afresh_gets_all_again(plain: Side) -> None:
    fill(plain)
    plain.push()
    shutil.rmtree(plain.there)
    plain.write({"src/app.py": "changed"})
    plain.push()
    assert plain.is_same


def test_what_was_removed_there_comes_again_when_it_is_changed(plain: Side) -> None:
    fill(plain)
    plain.push()
    shutil.rmtree(plain.there / "src")
    plain.write({"src/app.py": "changed", "src/deep/er/one": "changed"})
    plain.push()
    assert (plain.there / "src/app.py").read_text() == "changed"
    assert (plain.there / "src/deep/er/one").read_text() == "changed"


def test_a_fresh_master_knows_what_is_there(plain: Side) -> None:
    fill(plain)
    plain.push()
    before = (plain.there / "README").stat().st_ino
    plain.fresh()
    plain.write({"src/app.py": "changed"})
    assert plain.push().put == 1
    assert plain.is_same
    assert (plain.there / "README").stat().st_ino == before


def test_a_clean_tree_costs_nothing(plain: Side) -> None:
    fill(plain)
    tree = tree_of(plain.here)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    jobs = plain.pool.jobs  # type: ignore[union-attr]
    assert plain.tree.is_current(plain.use, tree)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    assert plain.pool.jobs == jobs  # type: ignore[union-attr]


def test_a_connection_that_has_ended_makes_nothing_current(plain: Side) -> None:
    tree = tree_of(plain.here)
    plain.tree.push(plain.use, os.fsencode(plain.here), tree)
    plain.pool.connections[0].keepalive.ended = True  # type: ignore[index]
    assert not plain.tree.is_current(plain.use, tree)


def test_what_is_known_is_not_sent_again(plain: Side) -> None:
    fill(plain)
    plain.push()
    plain.tree.forget()
    log = next(plain.there.glob(".rdo-sync/*/manifest"))
    log.write_bytes(b"not to be read")
    plain.write({"README": "changed"})
    assert plain.push().put == 1
    assert (plain.there / "README").read_text() == "changed"


def test_the_log_is_written_afresh_when_it_is_long(plain: Side) -> None:
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


def test_setuid_of_ones_own_is_kept(plain: Side) -> None:
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


@pytest.mark.parametrize("program", ["tar", "stat"])
def test_a_target_without_a_program_is_told_in_one_line(tmp_path: Path, program: str) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=[program]))
    side = Side(tmp_path, pool)
    side.write({"a": "1"})
    with pytest.raises(RdoError) as caught:
        side.push()
    package = "coreutils" if program == "stat" else "tar"
    hint = f"install it there ({package}), or use `rdo --no-sync`"
    assert str(caught.value) == f"cannot copy files to `here`: it has no usable `{program}`; {hint}"
    pool.close()
