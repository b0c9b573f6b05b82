"""Fixtures for tests of requests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.unit.client.typed import terminals_are


@pytest.fixture
def piped_stdin() -> Iterator[None]:
    """Replaces stdin by a pipe, because pytest's is /dev/null."""
    before, (here, there) = os.dup(0), os.pipe()
    os.dup2(here, 0)
    yield
    os.dup2(before, 0)
    for fd in (before, here, there):
        os.close(fd)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment with three variables, and no terminal."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("A", "1=\udcff")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("TERM", "xterm")
    terminals_are(monkeypatch, ())
