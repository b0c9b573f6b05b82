"""Tests for the hint after a command was not found because it needs a shell."""

from __future__ import annotations

import shlex
import shutil
import subprocess

import pytest
from click import Context

from rdo.cli.command_group import rdoctl
from rdo.client import command_hint
from rdo.client.argv import Options, parse


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param([], "", id="no command"),
        pytest.param(["amke", "test"], "", id="a plain name"),
        pytest.param(["./run.sh", "a|b"], "", id="syntax in an argument"),
        pytest.param(["-c", "amke"], "", id="a shell string"),
        pytest.param(["-c", "true", "a b"], "", id="a shell string with arguments"),
        pytest.param(["-en", "-c", "true"], "", id="an option of the shell that can be none of rdo's"),
        pytest.param(
            ["-n", "-c", "make"],
            "`-n` before `-c` is the shell's option to run nothing; for no stdin use: rdo -c STRING </dev/null",
            id="an option of the shell where rdo has one too",
        ),
        pytest.param(["cd"], "`cd` is a shell builtin, not a program; use: rdo -c cd", id="a builtin"),
        pytest.param(
            ["cd", "src"], "`cd` is a shell builtin, not a program; use: rdo -c 'cd src'", id="a builtin and arguments"
        ),
        pytest.param(["if"], "`if` is a shell builtin, not a program; use: rdo -c if", id="a keyword"),
        pytest.param(
            ["source", "x"],
            "`source` is a builtin of bash, not a program; use: rdo bash -c 'source x'",
            id="a builtin that sh may not have",
        ),
        pytest.param(
            ["ls -l"],
            "`ls -l` is not the name of a program; for a shell string use: rdo -c 'ls -l'",
            id="a name with a space",
        ),
        pytest.param(
            ["A=b", "make"], "`A=b` is not a program; to set a variable there use: rdo -e A=b make", id="an assignment"
        ),
        pytest.param(
            ["A=b", "C=d e", "make", "X=1"],
            "`A=b` is not a program; to set a variable there use: rdo -e A=b -e 'C=d e' make X=1",
            id="two assignments",
        ),
        pytest.param(
            ["echo it's"],
            """`echo it's` is not the name of a program; for a shell string use: rdo -c 'echo it'"'"'s'""",
            id="a quote",
        ),
        pytest.param(
            ["a\n\x1b[31m"],
            r"`a\x0a\x1b[31m` is not the name of a program; for a shell string use: rdo -c 'a\x0a\x1b[31m'",
            id="control characters",
        ),
    ],
)
def test_a_name_that_only_a_shell_knows_gets_a_hint(words: list[str], line: str) -> None:
    assert command_hint.for_command(parse(words)) == line


@pytest.mark.parametrize("character", sorted(command_hint.SHELL_SYNTAX))
def test_every_character_that_is_special_to_a_shell_gets_one(character: str) -> None:
    assert "for a shell string use: rdo -c " in command_hint.for_command(parse([f"1{character}b"]))


def test_the_hint_goes_to_stderr_as_a_line(capfd: pytest.CaptureFixture[str]) -> None:
    command_hint.show(parse(["cd", "/\udcff"]), True)
    assert capfd.readouterr() == ("", "rdo: `cd` is a shell builtin, not a program; use: rdo -c 'cd /\\xff'\n")


def test_without_a_hint_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    command_hint.show(Options(), True)
    command_hint.show(parse(["make", "status"]), False)
    command_hint.show(parse(["-c", "status"]), False)
    command_hint.show(parse(["cd"]), False)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("words", "meant"), [
    (["status"], "rdoctl status"), (["stop", "--all"], "rdoctl stop --all"), (["help"], "rdo --help"),
])  # fmt: skip
@pytest.mark.parametrize("has_terminal", [True, False])
def test_a_command_of_rdoctl_is_pointed_to_even_without_a_terminal(
    capfd: pytest.CaptureFixture[str], words: list[str], meant: str, has_terminal: bool
) -> None:
    command_hint.show(parse(words), has_terminal)
    assert capfd.readouterr() == ("", f"rdo: did you mean `{meant}`?\n")


def test_the_list_has_all_commands_of_rdoctl() -> None:
    assert {*rdoctl.list_commands(Context(rdoctl)), "help"} == command_hint.RDOCTL


@pytest.mark.parametrize(
    "name", sorted(command_hint.BUILTINS - {"fc"}), ids=str
)  # which Debian's dash does not include
def test_the_hint_names_a_shell_that_has_the_builtin(name: str) -> None:
    hint = command_hint.for_command(parse([name]))
    program = "bash" if " rdo bash -c " in hint else "dash"
    if shutil.which(program) is None:
        pytest.skip(f"no {program}")
    found = subprocess.run([program, "-c", f"type {shlex.quote(name)}"], capture_output=True, check=False)
    assert found.returncode == 0
