"""Tests for variants of system calls that do not release the interpreter lock: their results are the usual ones."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rdo.util import brief_calls
from rdo.util.brief_calls import SIZE_LIMIT, Reader, has_room, send

Ends = tuple[socket.socket, socket.socket]


@pytest.fixture(params=["by ctypes", "without"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without":
        monkeypatch.setattr(brief_calls, "LIBC", None)
    else:
        assert brief_calls.LIBC is not None


@pytest.fixture
def ends() -> Iterator[Ends]:
    here, there = socket.socketpair()
    with here, there:
        yield here, there


@pytest.mark.parametrize("size", [1, SIZE_LIMIT, SIZE_LIMIT + 1])
def test_sent_data_arrives(ends: Ends, size: int) -> None:
    data = os.urandom(size - 1) + b"\0"
    assert send(ends[0], data) == size
    assert send(ends[0], memoryview(data)) == size
    assert ends[1].recv(2 * size, socket.MSG_WAITALL) == data + data


def test_nothing_waits_for_room(ends: Ends) -> None:
    assert has_room(ends[0])
    while has_room(ends[0]):
        assert send(ends[0], bytes(SIZE_LIMIT)) == SIZE_LIMIT
    ends[0].setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while ends[0].send(bytes(SIZE_LIMIT)):
            pass
    with pytest.raises(BlockingIOError):
        send(ends[0], b"x")


def test_a_closed_peer_is_an_error(ends: Ends) -> None:
    ends[1].close()
    assert has_room(ends[0])  # no need to wait for it
    with pytest.raises(BrokenPipeError, match="Broken pipe"):
        send(ends[0], b"x")
    ends[0].close()
    assert has_room(ends[0])
    with pytest.raises(OSError, match="Bad file descriptor"):
        send(ends[0], b"x")


@pytest.mark.parametrize("size", [0, 1, SIZE_LIMIT - 1, SIZE_LIMIT, 2 * SIZE_LIMIT, 2 * SIZE_LIMIT + 1])
def test_a_file_is_read_completely(tmp_path: Path, size: int) -> None:
    path = tmp_path / "ä file"
    path.write_bytes(data := os.urandom(size))
    descriptors = os.listdir("/dev/fd")
    reader = Reader()
    assert [reader.file(str(path)), reader.file(str(path))] == [data, data]
    assert os.listdir("/dev/fd") == descriptors


def test_a_link_is_read(tmp_path: Path) -> None:
    path = tmp_path / "link"
    path.symlink_to("a/ä")
    assert Reader().link(str(path)) == "a/ä".encode()


def test_an_unreadable_file_gives_none(tmp_path: Path) -> None:
    assert Reader().link(str(tmp_path)) is None
    assert Reader().link(str(tmp_path / "missing")) is None
    assert Reader().file(str(tmp_path / "missing")) is None
    assert Reader().file(str(tmp_path)) is None
