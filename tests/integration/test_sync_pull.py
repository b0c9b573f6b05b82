"""Tests for what a pull creates here: what was built on the target, and nothing else."""

from __future__ import annotations

import os
import re
import shutil
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.disk import Mount
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, texts, write
from tests.target_tools import tools
from tests.unit.remote_sh.shells import SHELLS

DAY = 1_600_000_000


@pytest.fixture(params=[*SHELLS, "small"])
def each(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    """A project, and a target of each kind."""
    small = request.param == "small"
    shell = "busybox" if small else request.param
    if shutil.which(SHELLS[shell].split()[0]) is None:
        pytest.skip(f"{shell} is not installed")
    pool = OneShell(shell, tools(tmp_path / "tools", busybox=True) if small else "")
    side = Side(tmp_path, pool)
    side.push()
    yield side
    pool.close()


@pytest.fixture
def side(tmp_path: Path) -> Iterator[Side]:
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.push()
    yield side
    pool.close()


def test_everything_that_was_built_arrives_unchanged(each: Side) -> None:
    files: dict[str, str | bytes] = {
        "dist/a": "1", "dist/deep/er/b": "2", "dist/new\nline": "3", "dist/it's \"$x\"": "4", "dist/-rf": "5",
        "dist/" + "n" * 150 + "/" + "m" * 150: "6", "dist/zero": b"", "dist/empty/": "", "coverage.xml": "7",
        "not pulled": "8", "distant/a": "9",
    }  # fmt: skip
    write(each.there, files)
    (each.there / "dist/link").symlink_to("deep/er/b")
    os.link(each.there / "dist/a", each.there / "dist/hard")
    (each.there / "dist/a").chmod(0o755)
    os.utime(each.there / "dist/a", ns=(1, DAY * 10**9 + 123_456_789))
    assert each.pull(b"dist", b"coverage.xml", b"not/there").pulled == 10
    found, expected = contents(each.here), contents(each.there)
    assert found == {
        path: what for path, what in expected.items() if path.startswith((b"dist/", b"cov")) or path == b"dist"
    }
    assert (each.here / "dist/a").stat().st_mtime_ns == DAY * 10**9 + 123_456_789
    assert each.pull(b"dist", b"coverage.xml") == (0, 0, 0, (), ())


def test_a_backslash_in_a_name_is_preserved(each: Side) -> None:
    names = {"dist/a\\tb", "dist/a\tb", "dist/\\\\", "dist/c\\", "dist/d\\n/\\101"}
    write(each.there, dict.fromkeys(names, "1"))
    result = each.pull(b"dist")
    assert (result.pulled, result.refused) == (len(names), ())
    assert contents(each.here) == contents(each.there)


def test_only_changes_are_pulled_and_removed_files_are_removed(side: Side) -> None:
    write(side.there, {"dist/a": "1", "dist/b": "2", "dist/sub/c": "3"})
    side.pull(b"dist")
    before = (side.here / "dist/b").stat().st_ino
    (side.there / "dist/a").write_text("changed")
    shutil.rmtree(side.there / "dist/sub")
    result = side.pull(b"dist")
    assert (result.pulled, result.removed) == (1, 1)
    assert contents(side.here) == contents(side.there)
    assert (side.here / "dist/b").stat().st_ino == before
    side.fresh()
    assert side.pull(b"dist").pulled == 0


def test_a_local_file_is_not_overwritten(side: Side) -> None:
    write(side.there, {"dist/a": "theirs", "dist/b": "theirs", "dist/c": "equal", "dist/d/e": "theirs"})
    side.write({"dist/a": "mine!!", "dist/b": "mine", "dist/c": "equal", "dist/d": "mine"})
    (side.here / "dist/b").unlink()
    (side.here / "dist/b").mkdir()
    result = side.pull(b"dist")
    assert result.conflicts == (b"dist/a", b"dist/b", b"dist/d/e")
    assert (side.here / "dist/a").read_text() == "mine!!"
    assert (side.here / "dist/d").read_text() == "mine"
    (side.there / "dist/c").write_text("changed")
    side.pull(b"dist")
    assert (side.here / "dist/c").read_text() == "changed"


def test_a_pulled_file_that_was_changed_here_is_not_overwritten_or_removed(side: Side) -> None:
    write(side.there, {"dist/a": "1", "dist/b": "2", "dist/c": "3"})
    side.pull(b"dist")
    side.write({"dist/a": "mine", "dist/b": "mine", "dist/c": "mine"})
    assert side.pull(b"dist").conflicts == ()
    (side.there / "dist/a").write_text("theirs")
    (side.there / "dist/b").unlink()
    assert side.pull(b"dist").conflicts == (b"dist/a",)
    assert {path.name: path.read_text() for path in (side.here / "dist").iterdir()} == dict.fromkeys("abc", "mine")
    assert side.tree.take_there(side.use, os.fsencode(side.here), [b"dist/a"]).pulled == 1
    assert (side.here / "dist/a").read_text() == "theirs"
    assert side.pull(b"dist").conflicts == ()


def test_other_kinds_of_files_are_left_there_and_named(side: Side) -> None:
    write(side.there, {"dist/a": "1"})
    os.mkfifo(side.there / "dist/fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(side.there / "dist/socket"))
        result = side.pull(b"dist")
    assert (result.pulled, [each.path for each in result.refused]) == (1, [b"dist/fifo", b"dist/socket"])
    assert {each.why for each in result.refused} == {"fifos, sockets and devices are not taken"}
    assert [path.name for path in (side.here / "dist").iterdir()] == ["a"]


@pytest.mark.parametrize("path", ["nothing", "dist/nothing/at all", "dist/a/b"])
def test_a_missing_file_cannot_be_taken_and_nothing_else_is(side: Side, path: str) -> None:
    write(side.there, {"dist/a": "1"})
    side.write({"dist/a": "mine"})
    why = f"cannot take `{path}` from `here`: there is no such file in `{side.there}`; see `rdoctl sync diff`"
    with pytest.raises(RdoError, match=re.escape(why)):
        side.tree.take_there(side.use, os.fsencode(side.here), [b"dist/a", os.fsencode(path)])
    assert (side.here / "dist/a").read_text() == "mine"


@pytest.mark.parametrize("path", [".rdo.conf", ".git/config", "sub/.git"])
def test_files_that_git_or_rdo_reads_are_not_taken(side: Side, path: str) -> None:
    write(side.there, {path: "1"})
    with pytest.raises(RdoError, match=f"cannot take `{path}` .*: files that git or rdo reads are never taken"):
        side.tree.take_there(side.use, os.fsencode(side.here), [os.fsencode(path)])


def test_a_file_that_was_removed_here_is_pulled_again(side: Side) -> None:
    write(side.there, {"dist/a": "1"})
    side.pull(b"dist")
    shutil.rmtree(side.here / "dist")
    assert side.pull(b"dist").pulled == 1
    assert (side.here / "dist/a").exists()


def test_a_newly_installed_target_removes_nothing_here(side: Side) -> None:
    write(side.there, {"dist/a": "1", "dist/b": "2"})
    side.pull(b"dist")
    shutil.rmtree(side.there)
    side.fresh()
    write(side.there, {"dist/b": "new"})
    assert side.pull(b"dist").removed == 0
    assert side.pull(b"dist").removed == 0
    assert (side.here / "dist/a").read_text() == "1"
    assert (side.here / "dist/b").read_text() == "new"


@pytest.mark.parametrize("leads", ["/etc/passwd", "../../x", "sub/../../../x", "..//../x", "/", "../.."])
def test_a_link_that_leads_outside_is_refused(side: Side, leads: str) -> None:
    write(side.there, {"dist/a": "1"})
    (side.there / "dist/out").symlink_to(leads)
    result = side.pull(b"dist")
    assert [each.path for each in result.refused] == [b"dist/out"]
    assert sorted(path.name for path in (side.here / "dist").iterdir()) == ["a"]


def test_devices_fifos_and_sockets_are_not_pulled_and_setuid_is_removed(side: Side) -> None:
    write(side.there, {"dist/setuid": "1"})
    (side.there / "dist/setuid").chmod(0o6755)
    os.mkfifo(side.there / "dist/fifo")
    if os.geteuid() == 0:
        os.mknod(side.there / "dist/device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    side.pull(b"dist")
    assert [path.name for path in (side.here / "dist").iterdir()] == ["setuid"]
    assert stat.S_IMODE((side.here / "dist/setuid").stat().st_mode) == 0o755


def test_a_link_in_the_path_is_followed_on_neither_side(side: Side, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside, {"a": "outside", "deep/a": "outside"})
    (side.there / "dist").symlink_to(outside)
    side.pull(b"dist/deep", b"dist/a")
    assert contents(side.here) == {}
    (side.there / "dist").unlink()
    write(side.there, {"dist/a": "inside", "dist/deep/b": "inside"})
    (side.here / "dist").symlink_to(outside)
    assert side.pull(b"dist").conflicts == (b"dist/a", b"dist/deep/b")
    assert texts(outside) == {
        b"a": b"outside", b"deep/a": b"outside"
    }  # fmt: skip


def test_git_and_rdos_own_files_are_never_written(side: Side) -> None:
    for name in (".git/hooks/post-checkout", "sub/.GIT/config", ".rdo.conf", ".rdo-sync/x", "a"):
        write(side.there, {name: "hostile"})
    pulled = side.pull(b"a", b".git", b"sub", b".rdo.conf", b".rdo-sync")
    assert sorted(each.path for each in pulled.refused) == [b".git", b".rdo.conf", b"sub/.GIT"]
    assert [path.name for path in side.here.rglob("*") if path.is_file()] == ["a"]


def test_a_full_disk_here_is_one_line_and_leaves_everything_as_it_was(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    mount(tmp_path / "here", options="size=128k,mode=755")
    side = Side(tmp_path, pool)
    side.push()
    write(side.there, {"dist/a": "1"})
    side.pull(b"dist")
    write(side.there, {"dist/a": "2" * 1_000_000})
    with pytest.raises(
        RdoError, match=r"^cannot pull 1,000,000 bytes from `here`: there is not enough space; free disk"
    ):
        side.pull(b"dist")
    assert (side.here / "dist/a").read_text() == "1"
    pool.close()


def test_a_local_directory_on_another_file_system_gets_its_files(side: Side, mount: Mount) -> None:
    write(side.there, {"dist/a": "1", "dist/sub/b": "2"})
    (side.there / "dist/l").symlink_to("a")
    (side.here / "dist").mkdir()
    mount(side.here / "dist", options="size=128k,mode=755")
    side.pull(b"dist")
    assert contents(side.here).keys() == contents(side.there).keys()
    assert (side.here / "dist/sub/b").read_text() == "2"
