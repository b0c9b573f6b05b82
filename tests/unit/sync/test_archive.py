"""Tests for the tar archive that is sent to a target, which other programs can read."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rdo.sync.archive import CHUNK, Archive
from tests.sync_target import tree_of, write


def test_tarfile_reads_the_archive(tmp_path: Path) -> None:
    write(tmp_path / "here", {"a": "1", "n" * 150: "2", "d/": ""})
    archive = Archive(os.fsencode(tmp_path / "here"))
    data = b"".join([*archive.tree(b"f/", tree_of(tmp_path / "here")), *archive.text(b"t", b"text"), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == ["f/a", "f/d", "f/" + "n" * 150, "t"]
        assert opened.getmember("f/a").mtime == (tmp_path / "here/a").stat().st_mtime


@pytest.mark.parametrize("time", [0, 500_000_000, 999_999_999_000_000_001, 1_700_000_000_000_000_001])
def test_times_are_exact_however_many_digits_they_have(time: int, tmp_path: Path) -> None:
    write(tmp_path, {"a": "1"})
    os.utime(tmp_path / "a", ns=(1, time))
    archive = Archive(os.fsencode(tmp_path))
    data = b"".join([*archive.tree(b"", tree_of(tmp_path)), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getmember("a").mtime == float(f"{time / 1e9:.9f}")


def _grow(path: Path) -> None:
    path.write_text("more than before")


def _shrink(path: Path) -> None:
    path.write_text("")


def _lengthen(path: Path) -> None:
    path.write_bytes(b"x" * (2 * CHUNK + 1))


@pytest.mark.parametrize("change", [_grow, _shrink, _lengthen])
def test_a_file_that_has_changed_since_it_was_scanned_is_sent_as_it_is(
    change: Callable[[Path], None], tmp_path: Path
) -> None:
    write(tmp_path, {"a": "first", "b": "other"})
    tree = tree_of(tmp_path)
    change(tmp_path / "a")
    archive = Archive(os.fsencode(tmp_path))
    data = b"".join([*archive.tree(b"", tree), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        content = opened.extractfile("a").read()  # type: ignore[union-attr]
        assert opened.getnames() == ["a", "b"]
        assert opened.getmember("a").mtime == pytest.approx((tmp_path / "a").stat().st_mtime)
    assert content == (tmp_path / "a").read_bytes()
    assert archive.digests[b"a"] == hashlib.sha256(content).hexdigest()
    assert archive.size == len(content) + len("other")


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_a_file_that_no_longer_exists_is_left_out(make: Callable[[Path], None], tmp_path: Path) -> None:
    write(tmp_path, {"a": "first", "b": "other"})
    tree = tree_of(tmp_path)
    (tmp_path / "a").unlink()
    make(tmp_path / "a")
    archive = Archive(os.fsencode(tmp_path))
    data = b"".join([*archive.tree(b"", tree), *archive.end()])
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        assert opened.getnames() == ["b"]
    assert archive.digests.keys() == {b"b"}
