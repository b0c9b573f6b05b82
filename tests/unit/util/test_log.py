"""Tests for the log of a control master, which has every unexpected error in full, while the user sees one line."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from rdo.util import log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def handle(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The log, opened as by a master."""
    monkeypatch.setattr(log, "_paths", {})
    opened = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    yield opened
    os.close(opened)


def test_it_never_grows_beyond_its_limit_and_keeps_the_latest_lines(path: Path, handle: int) -> None:
    line = b"x" * 99 + b"\n"
    for number in range(log.LIMIT // 100 + 2):
        log.append(b"%06d" % number + line[6:], handle)
        assert path.stat().st_size <= log.LIMIT
    lines = path.read_bytes().splitlines()
    assert {len(each) for each in lines} == {99}
    assert lines[-1].startswith(b"%06d" % number)
    assert len(lines) > log.LIMIT // 300


def test_an_event_is_a_line_whatever_is_in_it(path: Path, handle: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "append", lambda data: os.write(handle, data))
    log.event("closed `a\nb`\udcff\x1b[31m")
    assert path.read_bytes().endswith(b" closed `a b`\\xff\\x1b[31m\n")
    assert path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDONLY])
def test_a_log_that_cannot_be_written_or_read_is_not_an_error(path: Path, flags: int) -> None:
    path.write_bytes(b"x" * log.LIMIT)
    opened = os.open(path, flags)
    log.append(b"y\n", opened)
    os.close(opened)
    assert path.stat().st_size == (2 if flags == os.O_WRONLY else log.LIMIT)


def test_it_is_created_again_if_its_file_is_deleted(path: Path, handle: int) -> None:
    log.keep_at(str(path), handle)
    lines = [b"line %d\n" % number for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        for batch in (lines[:20], lines[20:]):
            path.unlink()
            list(threads.map(partial(log.append, log=handle), batch))
            assert sorted(path.read_bytes().splitlines(keepends=True)) == sorted(batch)
    assert stat.filemode(path.stat().st_mode) == "-rw-------"


def test_a_log_that_cannot_be_created_again_keeps_its_file(path: Path, handle: int, tmp_path: Path) -> None:
    log.keep_at(str(path), handle)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    log.append(b"x\n", handle)
    assert (os.pread(handle, 9, 0), os.listdir(tmp_path)) == (b"x\n", ["log"])


class Mute(Exception):
    """An exception that cannot be converted to text."""

    def __str__(self) -> str:
        raise ValueError("no words")


@pytest.mark.parametrize(("error", "why"), [
    (ValueError("bad\nnumber"), "ValueError: bad number"),
    (MemoryError(), "MemoryError"),
    (Mute(), "Mute"),
    (ValueError("x" * 999), "ValueError: " + "x" * (log.REASON_LIMIT - 12)),
])  # fmt: skip
def test_the_user_sees_one_line_that_names_the_log(error: Exception, why: str) -> None:
    expected = f"internal error in the control master: {why}; this is a bug in rdo; see `/run/it.log`"
    assert str(log.explain_crash(error, "/run/it.log")) == expected


@pytest.mark.parametrize("error", [ValueError("x" * 99999), Mute(), RecursionError(), SystemExit(1)])
def test_the_log_holds_the_end_of_each_traceback_and_no_more(tmp_path: Path, error: BaseException) -> None:
    file = tmp_path / "file"
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        for _ in range(2):
            try:
                raise error
            except BaseException as caught:
                log.crash(caught, handle)
        assert file.stat().st_size < 2 * (log.TRACEBACK_LIMIT + 100)
    finally:
        os.close(handle)


def test_a_log_that_cannot_be_written_is_not_a_further_error() -> None:
    handle = os.open("/dev/full", os.O_WRONLY) if os.path.exists("/dev/full") else -1
    log.crash(ValueError(), handle)
    if handle >= 0:
        os.close(handle)
