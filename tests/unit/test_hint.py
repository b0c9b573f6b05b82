"""When a command was not found: the hint for people who meant the shell."""

from __future__ import annotations

import pytest

from rdo import hint
from rdo.argv import Options, parse


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param([], "", id="no command"),
        pytest.param(["amke", "test"], "", id="a plain name"),
        pytest.param(["./run.sh", "a|b"], "", id="syntax in an argument"),
        pytest.param(["-c", "amke"], "", id="a shell string"),
        pytest.param(["-c", "true", "a b"], "", id="a shell string with arguments"),
        pytest.param(["cd"], "`cd` is a shell builtin, not a program; use: rdo -c cd", id="a builtin"),
        pytest.param(
            ["cd", "src"], "`cd` is a shell builtin, not a program; use: rdo -c 'cd src'", id="a builtin and arguments"
        ),
        pytest.param(["if"], "`if` is a shell builtin, not a program; use: rdo -c if", id="a keyword"),
        pytest.param(
            ["ls -l"], "`ls -l` is no program's name; for a shell string use: rdo -c 'ls -l'", id="a name with a space"
        ),
        pytest.param(
            ["A=b", "make"], "`A=b` is no program's name; for a shell string use: rdo -c 'A=b make'", id="an assignment"
        ),
        pytest.param(
            ["echo it's"],
            """`echo it's` is no program's name; for a shell string use: rdo -c 'echo it'"'"'s'""",
            id="a quote",
        ),
        pytest.param(
            ["a\n\x1b[31m"],
            r"`a\x0a\x1b[31m` is no program's name; for a shell string use: rdo -c 'a\x0a\x1b[31m'",
            id="control characters",
        ),
    ],
)
def test_a_name_that_only_a_shell_knows_gets_a_hint(words: list[str], line: str) -> None:
    assert hint.for_command(parse(words)) == line


@pytest.mark.parametrize("character", sorted(hint.SHELL_SYNTAX))
def test_every_character_that_means_something_to_a_shell_gets_one(character: str) -> None:
    assert "for a shell string use: rdo -c " in hint.for_command(parse([f"a{character}b"]))


def test_the_hint_goes_to_stderr_as_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    hint.show(parse(["cd", "/\udcff"]))
    assert capfd.readouterr() == ("", "rdo: `cd` is a shell builtin, not a program; use: rdo -c 'cd /\\xff'\n")


def test_without_a_hint_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    hint.show(Options())
    assert capfd.readouterr() == ("", "")
