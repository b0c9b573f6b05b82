"""The log of a control master."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.util import log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def handle(path: Path) -> Iterator[int]:
    """The log, opened as a master has it."""
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
    log.event("closed `a\nb`\udcff")
    assert path.read_bytes().endswith(b" closed `a b`\\udcff\n")
    assert path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("flags", [os.O_WRONLY, os.O_RDONLY])
def test_one_that_takes_nothing_or_cannot_be_read_is_no_error(path: Path, flags: int) -> None:
    path.write_bytes(b"x" * log.LIMIT)
    opened = os.open(path, flags)
    log.append(b"y\n", opened)
    os.close(opened)
    assert path.stat().st_size == (2 if flags == os.O_WRONLY else log.LIMIT)
