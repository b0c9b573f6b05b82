"""A wrong name of a command of `rdoctl`."""

from __future__ import annotations

import errno

import pytest
from click.testing import CliRunner

from rdo.cli.command_group import rdoctl
from rdo.cli.main import run


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["explian"], "there is no command `explian`; did you mean `explain`?"),
        (["zzz"], "there is no command `zzz`; see `rdoctl --help`"),
        (["shim", "lst"], "there is no command `lst`; did you mean `list`?"),
        (["a\x1b[2J"], "there is no command `a\\x1b[2J`; see `rdoctl --help`"),
        (["--nope"], "No such option"),
    ],
)
def test_a_command_that_there_is_not_comes_with_the_nearest_one(words: list[str], complaint: str) -> None:
    done = CliRunner().invoke(rdoctl, words, prog_name="rdoctl")
    assert done.exit_code == 2
    assert complaint in done.output


def test_an_error_of_the_system_is_told_in_its_words_and_names_the_file(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/x/.gitignore")

    monkeypatch.setattr(rdoctl, "main", fail)
    assert run([]) == 255
    line = "rdoctl: cannot use `/x/.gitignore`: permission denied; check its permissions, and your umask\n"
    assert capfd.readouterr().err == line
