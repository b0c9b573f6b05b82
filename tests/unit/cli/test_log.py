"""Tests for `rdoctl log -f`: it shows each line once, whatever happens to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rdo.cli import log as log_command
from rdo.util import log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "log"
    path.write_bytes(b"first\n")
    return path


def write(path: Path, text: bytes) -> None:
    """Append to the log, as a control master does."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
    log.append(text, descriptor)
    os.close(descriptor)


def test_each_addition_is_shown_once(path: Path) -> None:
    parts = log_command.additions(str(path))
    assert next(parts) == b"first\n"
    assert next(parts) == b""
    write(path, b"second\n")
    assert (next(parts), next(parts)) == (b"second\n", b"")


def test_nothing_is_shown_again_after_the_older_half_was_dropped(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LIMIT", 8000)
    parts = log_command.additions(str(path))
    next(parts)
    shown = b""
    for number in range(1000):
        write(path, f"line {number}\n".encode())
        shown += next(parts)
    assert shown == b"".join(f"line {number}\n".encode() for number in range(1000))


def test_a_log_that_replaces_it_is_shown_from_its_beginning(path: Path) -> None:
    parts = log_command.additions(str(path))
    next(parts)
    path.unlink()
    assert next(parts) == b""
    (path.parent / "other").write_bytes(b"another\n")
    (path.parent / "other").rename(path)
    assert (next(parts), next(parts)) == (b"another\n", b"")


def test_a_missing_log_is_an_error_at_first(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        next(log_command.additions(str(tmp_path / "none")))
