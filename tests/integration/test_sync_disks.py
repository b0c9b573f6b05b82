"""Tests for pushes to a target whose disk is full or read-only, and to a directory on several file systems."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests import disk
from tests.disk import Mount
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, texts, tree_of, write


def test_a_full_disk_there_leaves_everything_as_it_was(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    there = mount(tmp_path / "there", options="size=512k,mode=755")
    side = Side(tmp_path, pool, there)
    side.write({"a": "1" * 1000, "b": "2" * 1000})
    side.push()
    before = contents(there)
    side.write({"a": "3" * 400_000, "b": "4" * 400_000})
    with pytest.raises(RdoError, match=r"^cannot copy files to `.*` on `here`: no space is left on its disk; free"):
        side.push()
    assert contents(there) == before
    assert side.left == []
    side.write({"a": "3", "b": "4"})
    side.push()
    assert side.is_same
    pool.close()


def test_a_disk_without_any_free_space_is_one_line(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    there = mount(tmp_path / "there", options="size=256k,mode=755")
    side = Side(tmp_path, pool, there)
    side.write({"a": "1"})
    side.push()
    before = contents(there)
    disk.fill(there)
    side.write({"a": "2"})
    with pytest.raises(RdoError, match="no space is left on its disk; free disk space there"):
        side.push()
    (there / "filler").unlink()
    assert contents(there) == before
    side.fresh()
    side.push()
    assert side.is_same
    pool.close()


def test_a_first_push_without_any_free_space_is_one_line(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    there = mount(tmp_path / "there", options="size=256k,mode=755")
    side = Side(tmp_path, pool, there)
    side.write({"a": "1"})
    disk.fill(there)
    with pytest.raises(RdoError, match=r"^cannot create `.*/.rdo-sync` on `here`: .*; free disk space there or fix "):
        side.push()
    (there / "filler").unlink()
    side.push()
    assert side.is_same
    assert (there / ".rdo-sync" / ".gitignore").read_text() == "*\n"
    pool.close()


def test_a_target_that_cannot_be_written_is_one_line(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    there = mount(tmp_path / "there", options="size=256k,mode=755,ro")
    side = Side(tmp_path, pool, there)
    with pytest.raises(RdoError, match=r"^cannot create `.*/.rdo-sync` on `here`: mkdir: .*Read-only file system; "):
        side.push()
    with pytest.raises(RdoError, match=r"^cannot enter or create `.*/sub` on `here`: .*Read-only file system; "):
        Side(tmp_path, pool, there / "sub").push()
    pool.close()


def test_a_directory_on_another_file_system_gets_its_files(tmp_path: Path, mount: Mount) -> None:
    pool = OneShell()
    side = Side(tmp_path, pool)
    side.there.mkdir()
    mount(side.there / "disk", options="size=1m,mode=755")
    side.write({"disk/a": "1", "disk/sub/b": "2", "c": "3"})
    side.push()
    assert side.is_same
    side.write({"disk/a": "4", "disk/sub/b": "5", "disk/new/c": "6", "disk/-d e": "7"})
    side.push()
    assert side.is_same
    write(side.there, {"disk/.rdo-sync-copy/left": "by one that was cut off"})
    side.write({"disk/a": "8"})
    side.push()
    assert side.is_same
    assert side.fresh().push(side.use, os.fsencode(side.here), tree_of(side.here)).put == 0
    pool.close()


CASELESS = (
    (("mkfs.ext4", "-q", "-O", "casefold"), ("mount", "-o", "loop")),
    (("mkntfs", "-F", "-Q", "-q"), ("lowntfs-3g", "-o", "ignore_case,permissions")),
)
"""How a case-insensitive file system is created and mounted. Not all kernels support the first; the second has no upper
case.
"""


def is_mounted(image: Path, place: Path, make: Sequence[str], mount: Sequence[str]) -> bool:
    """Whether it could be mounted."""
    if os.geteuid() != 0 or not shutil.which(make[0]) or not shutil.which(mount[0]):
        return False
    commands = ([*make, str(image)], [*mount, str(image), str(place)])
    return all(subprocess.run(each, capture_output=True, check=False).returncode == 0 for each in commands)


@pytest.fixture
def caseless(tmp_path: Path) -> Iterator[Path]:
    """A directory on a case-insensitive file system."""
    place, image = tmp_path / "disk", tmp_path / "image"
    place.mkdir()
    image.touch()
    os.truncate(image, 16 * 1024 * 1024)
    if not any(is_mounted(image, place, *way) for way in CASELESS):
        pytest.skip("no file system without case can be mounted here")
    try:
        (place / "there").mkdir()
        subprocess.run(["chattr", "+F", str(place / "there")], capture_output=True, check=False)
        yield place / "there"
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_on_a_case_insensitive_disk_a_name_may_change_its_case(tmp_path: Path, caseless: Path) -> None:
    (caseless / "Probe").touch()
    keeps_case = os.listdir(caseless) == ["Probe"]
    (caseless / "Probe").unlink()
    pool = OneShell()
    side = Side(tmp_path, pool, caseless)

    def names() -> list[bytes]:
        here = sorted(tree_of(side.here)) if keeps_case else sorted(path.lower() for path in tree_of(side.here))
        assert here == sorted(tree_of(caseless))
        return sorted(texts(side.here))

    side.write({"README": "1", "src/a": "2", "src/sub/b": "3"})
    side.push()
    (side.here / "README").rename(side.here / "readme")
    side.push()
    assert names() == [b"readme", b"src/a", b"src/sub/b"]
    (side.here / "src").rename(side.here / "Src")
    side.write({"Src/a": "changed"})
    side.push()
    assert names() == [b"Src/a", b"Src/sub/b", b"readme"]
    assert (caseless / "Src/a").read_text() == "changed"
    (side.here / "README").write_text("clash")
    with pytest.raises(RdoError, match="`README` and `readme` cannot both be copied"):
        side.push()
    (side.here / "README").unlink()
    shutil.rmtree(side.here / "Src")
    side.push()
    assert names() == [b"readme"]
    pool.close()
