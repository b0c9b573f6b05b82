"""Tests for how `rdoctl` reports errors of the system."""

from __future__ import annotations

import errno

import pytest

from rdo.cli.command_group import rdoctl
from rdo.cli.main import run


def test_a_system_error_is_reported_with_its_message_and_the_file(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/x/.gitignore")

    monkeypatch.setattr(rdoctl, "main", fail)
    assert run([]) == 255
    line = "rdoctl: cannot use `/x/.gitignore`: permission denied; check its permissions, and your umask\n"
    assert capfd.readouterr().err == line
