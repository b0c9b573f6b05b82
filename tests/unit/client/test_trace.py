"""Tests for what `-v` shows of a command."""

from __future__ import annotations

import pytest

from rdo.client.trace import Trace


def test_each_step_is_shown_with_its_time(capfd: pytest.CaptureFixture[str]) -> None:
    Trace(True, 0).step("here", 0.5)
    assert capfd.readouterr().err == "rdo:   500.0 ms  here\n"


def test_without_v_nothing_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    Trace(False, 0).step("here", 0.5)
    assert capfd.readouterr().err == ""
