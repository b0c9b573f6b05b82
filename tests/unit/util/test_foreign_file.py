"""Tests for reading files that others may have created, and for what is refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rdo.util import foreign_file
from rdo.util.foreign_file import FileTooLarge, UnsuitableFile

LIMIT = 2048


def test_a_file_up_to_the_limit_is_read_and_a_larger_one_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * LIMIT)
    assert foreign_file.read(str(path), LIMIT) == b"x" * LIMIT
    path.write_bytes(b"x" * (LIMIT + 1))
    with pytest.raises(FileTooLarge, match="larger than 2 KiB"):
        foreign_file.read(str(path), LIMIT)
    assert foreign_file.head(str(path), 4) == b"xxxx"


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/tty", "/dev/full"])
def test_a_link_to_a_device_is_not_even_opened(tmp_path: Path, device: str) -> None:
    (tmp_path / "file").symlink_to(device)
    with pytest.raises(UnsuitableFile, match="not a regular file"):
        foreign_file.read(str(tmp_path / "file"), LIMIT)


def test_a_fifo_without_a_writer_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file")
    with pytest.raises(UnsuitableFile, match="not a regular file"):
        foreign_file.read(str(tmp_path / "file"), LIMIT)


def test_a_stream_that_looks_like_a_file_is_not_waited_for() -> None:
    """As /proc/kmsg is one, and others below /proc and /sys."""
    source, sink = os.pipe()
    os.set_blocking(source, False)
    try:
        with os.fdopen(source, "rb") as file, pytest.raises(UnsuitableFile, match="not a regular file"):
            foreign_file.rest(file, LIMIT)
    finally:
        os.close(sink)


def test_a_file_that_is_replaced_by_a_fifo_meanwhile_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "plain").touch()
    os.mkfifo(tmp_path / "file")
    plain = os.stat(tmp_path / "plain")
    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", lambda path: plain)
        try:
            foreign_file.read(str(tmp_path / "file"), LIMIT)
        except UnsuitableFile as error:
            why = error.strerror
    assert why == "not a regular file"


def test_a_directory_and_a_missing_file_are_the_usual_errors(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        foreign_file.read(str(tmp_path), LIMIT)
    with pytest.raises(FileNotFoundError):
        foreign_file.read(str(tmp_path / "none"), LIMIT)


def test_a_link_may_lead_to_its_directory_but_not_out_of_it(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "in-not"
    for directory in (inside, outside):
        directory.mkdir()
        (directory / "file").write_text("text")
    (tmp_path / "way").symlink_to("in")
    (inside / "near").symlink_to("file")
    (inside / "far").symlink_to(outside / "file")
    (inside / "above").symlink_to("..")
    way = tmp_path / "way"
    assert foreign_file.read(str(way / "near"), LIMIT, within=str(way)) == b"text"
    for name in ("far", "above/in-not/file"):
        with pytest.raises(UnsuitableFile, match="a link that leads out of") as caught:
            foreign_file.read(str(way / name), LIMIT, within=str(way))
        assert caught.value.errno == errno.ELOOP


def test_text_keeps_every_byte(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"a\r\nb\rc\n\xff\x0b\xc2\x85")
    assert foreign_file.read_text(str(tmp_path / "file"), LIMIT) == "a\r\nb\rc\n\udcff\x0b\x85"
