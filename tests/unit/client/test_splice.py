"""Tests for input that is spliced within the kernel, and for the fallback."""

from __future__ import annotations

import errno
import os
import socket
import sys

import pytest

from rdo.client.splice import Pipe

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux splices")

DATA = bytes(range(256)) * 100


def splice_through() -> bytes:
    """What arrives at a socket into which a whole pipe was sent, in one piece."""
    here, there = os.pipe()
    os.write(there, DATA)
    os.close(there)
    near, far = socket.socketpair()
    pipe = Pipe()
    with near, far, open(here, "rb") as source:
        piece = pipe.take(source.fileno(), 2 * len(DATA))
        assert len(piece) == len(DATA)
        piece.send(near)
        assert len(pipe.take(source.fileno(), 1)) == 0
        near.close()
        pipe.close()
        with far.makefile("rb") as stream:
            return stream.read()


def test_all_that_a_pipe_holds_goes_into_the_socket() -> None:
    assert splice_through() == DATA


def test_it_is_copied_if_the_system_cannot_splice_into_a_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    splice, refused = os.splice, []

    def pickily(source: int, target: int, count: int) -> int:
        if os.path.realpath(f"/proc/self/fd/{target}").split("/")[-1].startswith("socket:"):
            refused.append(target)
            raise OSError(errno.EINVAL, "no")
        return splice(source, target, count)

    monkeypatch.setattr(os, "splice", pickily)
    assert splice_through() == DATA
    assert refused
