"""What `rdoctl` says where the system refuses something."""

from __future__ import annotations

import errno

import pytest

from rdo.cli.command_group import rdoctl
from rdo.cli.main import run


def test_an_error_of_the_system_is_told_in_its_words_and_names_the_file(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/x/.gitignore")

    monkeypatch.setattr(rdoctl, "main", fail)
    assert run([]) == 255
    line = "rdoctl: cannot use `/x/.gitignore`: permission denied; check its permissions, and your umask\n"
    assert capfd.readouterr().err == line
