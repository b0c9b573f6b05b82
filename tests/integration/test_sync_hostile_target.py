"""Tests for a pull from a target that sends something that was not requested: nothing of it is stored."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.errors import RdoError
from tests.one_shell import OneShell
from tests.sync_target import Side, contents, texts, write
from tests.target_tools import tools

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
def test_an_archive_with_other_content_than_requested_is_refused(tmp_path: Path, archive: bytes) -> None:
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
def test_a_scan_with_other_content_than_requested_is_refused(tmp_path: Path, lie: Callable[[str], str]) -> None:
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


def test_a_target_that_sends_endlessly_is_cut_off(tmp_path: Path) -> None:
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
