"""What a pull leaves here: what the target has built, nothing else, and nothing that a hostile target could want."""

from __future__ import annotations

import io
import os
import shutil
import stat
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.disk import Mount
from tests.sync_target import OneShell, Side, contents, texts, tools, write
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


def test_all_that_was_built_comes_as_it_is(each: Side) -> None:
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


def test_only_what_changed_comes_again_and_what_is_gone_is_removed(side: Side) -> None:
    write(side.there, {"dist/a": "1", "dist/b": "2", "dist/sub/c": "3"})
    side.pull(b"dist")
    before = (side.here / "dist/b").stat().st_ino
    (side.there / "dist/a").write_text("changed")
    shutil.rmtree(side.there / "dist/sub")
    result = side.pull(b"dist")
    assert (result.pulled, result.removed) == (1, 1)
    assert contents(side.here) == contents(side.there)
    assert (side.here / "dist/b").stat().st_ino == before
    assert side.fresh().pull(side.use, os.fsencode(side.here), Below(b"dist")).pulled == 0


class Below:
    def __init__(self, *prefixes: bytes) -> None:
        self.prefixes = prefixes

    def matches(self, path: bytes) -> bool:
        return path.startswith(self.prefixes)


def test_a_file_of_ones_own_is_not_overwritten(side: Side) -> None:
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


def test_what_was_removed_here_comes_again(side: Side) -> None:
    write(side.there, {"dist/a": "1"})
    side.pull(b"dist")
    shutil.rmtree(side.here / "dist")
    assert side.pull(b"dist").pulled == 1
    assert (side.here / "dist/a").exists()


def test_a_target_that_was_set_up_afresh_removes_nothing_here(side: Side) -> None:
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
def test_a_link_that_leads_out_is_refused(side: Side, leads: str) -> None:
    write(side.there, {"dist/a": "1"})
    (side.there / "dist/out").symlink_to(leads)
    result = side.pull(b"dist")
    assert [each.path for each in result.refused] == [b"dist/out"]
    assert sorted(path.name for path in (side.here / "dist").iterdir()) == ["a"]


def test_a_device_a_fifo_and_a_socket_do_not_come_and_setuid_is_taken_off(side: Side) -> None:
    write(side.there, {"dist/setuid": "1"})
    (side.there / "dist/setuid").chmod(0o6755)
    os.mkfifo(side.there / "dist/fifo")
    if os.geteuid() == 0:
        os.mknod(side.there / "dist/device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    side.pull(b"dist")
    assert [path.name for path in (side.here / "dist").iterdir()] == ["setuid"]
    assert stat.S_IMODE((side.here / "dist/setuid").stat().st_mode) == 0o755


def test_a_link_on_the_way_is_followed_on_neither_side(side: Side, tmp_path: Path) -> None:
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
    side.pull(b"a", b".git", b"sub", b".rdo.conf", b".rdo-sync")
    assert [path.name for path in side.here.rglob("*") if path.is_file()] == ["a"]


def test_a_disk_that_is_full_here_is_one_line_and_leaves_all_as_it_was(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    mount(tmp_path / "here", options="size=128k,mode=755")
    side = Side(tmp_path, pool)
    side.push()
    write(side.there, {"dist/a": "1"})
    side.pull(b"dist")
    write(side.there, {"dist/a": "2" * 1_000_000})
    with pytest.raises(RdoError, match=r"^cannot pull 1,000,000 bytes from `here`: there is less room here; free disk"):
        side.pull(b"dist")
    assert (side.here / "dist/a").read_text() == "1"
    pool.close()


def test_a_directory_here_that_is_another_file_system_gets_its_files(side: Side, mount: Mount) -> None:
    write(side.there, {"dist/a": "1", "dist/sub/b": "2"})
    (side.there / "dist/l").symlink_to("a")
    (side.here / "dist").mkdir()
    mount(side.here / "dist", options="size=128k,mode=755")
    side.pull(b"dist")
    assert contents(side.here).keys() == contents(side.there).keys()
    assert (side.here / "dist/sub/b").read_text() == "2"


FAKE = """#!/bin/sh
exec cat {archive}
"""


def member(name: str, kind: bytes = tarfile.REGTYPE, content: bytes = b"hostile", **more: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content) if kind == tarfile.REGTYPE else 0
    for key, value in more.items():
        setattr(info, key, value)
    block = info.tobuf(tarfile.GNU_FORMAT)
    return block + content + b"\0" * (-len(content) % 512) if kind == tarfile.REGTYPE else block


def sparse() -> bytes:
    block = bytearray(member("dist/a", content=b""))
    block[156:157] = b"S"
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block[:512])
    return bytes(block)


END = b"\0" * 1024

HOSTILE = {
    "out of the root": member("../../escaped") + END,
    "an absolute path": member("/tmp/rdo-escaped") + END,
    "what was not asked for": member("other") + END,
    "rdo's config": member(".rdo.conf") + END,
    "the same twice": member("dist/a") + member("dist/a") + END,
    "a device": member("dist/a", tarfile.CHRTYPE) + END,
    "a fifo": member("dist/a", tarfile.FIFOTYPE) + END,
    "a directory": member("dist/a", tarfile.DIRTYPE) + END,
    "a file with holes": sparse() + END,
    "a hard link out": member("dist/a", tarfile.LNKTYPE, linkname="/etc/passwd") + END,
    "a hard link to nothing": member("dist/a", tarfile.LNKTYPE, linkname="dist/b") + END,
    "a size that lies": member("dist/a", size=5000) + END,
    "a huge size": member("dist/a", size=1 << 40),
    "a negative size": member("dist/a").replace(b"00000000007\0", b"-0000000007\0", 1) + END,
    "a long name without end": member("././@LongLink", b"L", content=b"", size=1 << 30),
    "no archive": b"garbage" * 1000,
    "nothing": b"",
    "zeros": b"\0" * 100_000_000,
    "half a header": member("dist/a")[:300],
}


@pytest.mark.parametrize("archive", HOSTILE.values(), ids=HOSTILE)
def test_an_archive_that_is_not_what_was_asked_for_is_refused(tmp_path: Path, archive: bytes) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=["tar"]))
    fake = tmp_path / "tools/tar"
    fake.symlink_to(str(shutil.which("tar")))
    side = Side(tmp_path, pool)
    side.write({"mine": "mine"})
    side.push()
    write(side.there, {"dist/a": "content", "dist/b": "content"})
    (tmp_path / "archive").write_bytes(archive)
    fake.unlink()
    fake.write_text(FAKE.format(archive=tmp_path / "archive"))
    fake.chmod(0o755)
    error = ""
    try:
        assert side.pull(b"dist").pulled == 0
    except RdoError as caught:
        error = str(caught)
    assert texts(side.here) == {b"mine": b"mine"}
    assert not (side.here / ".rdo-sync").exists()
    assert "\n" not in error
    assert not error or error.startswith("cannot pull from `here`: it sent "), error
    assert not (tmp_path.parent / "escaped").exists()
    assert not Path("/tmp/rdo-escaped").exists()
    pool.close()


LIES: dict[str, Callable[[str], str]] = {
    "a path out of the root": lambda mark: f"{mark}\t81a4 1 2026-01-01 00:00:00.0 +0000 x\t./../../escaped",
    "an absolute path": lambda mark: f"{mark}\t81a4 1 2026-01-01 00:00:00.0 +0000 x\t/etc/passwd",
    "no numbers": lambda mark: f"{mark}\tzz zz zz\t./dist/a",
    "a time that is none": lambda mark: f"{mark}\t81a4 1 yesterday\t./dist/a",
    "no name": lambda mark: f"{mark}\t81a4",
    "another word": lambda mark: "what\n",
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_scan_that_is_not_what_was_asked_for_is_refused(tmp_path: Path, lie: Callable[[str], str]) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=["find"]))
    side = Side(tmp_path, pool)
    side.push()
    write(side.there, {"dist/a": "content"})
    fake = tmp_path / "tools/find"
    text = lie("$mark").replace("\t", "\\t").replace("\n", "")
    fake.write_text(
        f'#!/bin/sh\nfor word in "$@"; do case $word in *%n*) mark=${{word%%\t*}} ;; esac; done\nprintf "{text}\\n"\n'
    )
    fake.chmod(0o755)
    with pytest.raises(RdoError, match=r"^cannot pull from `.*` on `here`: it said "):
        side.pull(b"dist")
    assert contents(side.here) == {}
    pool.close()


def test_a_target_that_sends_without_end_is_cut_off(tmp_path: Path) -> None:
    pool = OneShell("dash", tools(tmp_path / "tools", without=["find"]))
    side = Side(tmp_path, pool)
    side.push()
    (side.there / "dist").mkdir()
    fake = tmp_path / "tools/find"
    fake.write_text("#!/bin/sh\nexec dd if=/dev/zero bs=65536 2>/dev/null\n")
    fake.chmod(0o755)
    with pytest.raises(RdoError, match="a line that does not end"):
        side.pull(b"dist")
    pool.close()


def test_tarfile_reads_what_is_sent(tmp_path: Path) -> None:
    from rdo.sync.archive import Archive
    from tests.sync_target import tree_of

    write(tmp_path / "here", {"a": "1", "n" * 150: "2", "d/": ""})
    archive = Archive(os.fsencode(tmp_path / "here"))
    data = b"".join([*archive.tree(b"f/", tree_of(tmp_path / "here")), *archive.text(b"t", b"text"), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == ["f/a", "f/d", "f/" + "n" * 150, "t"]
        assert opened.getmember("f/a").mtime == (tmp_path / "here/a").stat().st_mtime
