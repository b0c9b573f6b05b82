"""A wrong name of a command of `rdoctl`."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from rdo.cli.main import rdoctl


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
