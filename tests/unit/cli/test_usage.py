"""Tests for usage errors of `rdoctl`: one line that says what to type, and status 2."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from rdo.cli import usage
from rdo.cli.command_group import rdoctl
from rdo.cli.main import run

WRONG = [
    ("explian", "there is no command `explian`; did you mean `explain`?"),
    ("zzz", "there is no command `zzz`; see `rdoctl --help`"),
    ("shim lst", "there is no command `lst`; did you mean `list`?"),
    ("a\x1b[2J", "there is no command `a\\x1b[2J`; see `rdoctl --help`"),
    ("--", "missing command; see `rdoctl --help`"),
    ("--nope", "unknown option `--nope`; see `rdoctl --help`"),
    ("status -q", "unknown option `-q`; see `rdoctl status --help`"),
    ("forward add --profle ci 80", "unknown option `--profle`; did you mean `--profile`?"),
    ("explain --nope", "unknown option `--nope`; see `rdo --help`"),
    ("stop -p", "option `-p` requires an argument; see `rdoctl stop --help`"),
    ("forward add -p", "option `-p` requires an argument; see `rdoctl forward add --help`"),
    ("status --json=3", "option `--json` does not take a value; see `rdoctl status --help`"),
    ("forward add", "an argument is missing; type `rdoctl forward add SPEC...`"),
    ("sync take here", "an argument is missing; type `rdoctl sync take {here|there} PATH...`"),
    ("completion", "an argument is missing; type `rdoctl completion bash`, `zsh` or `fish`"),
    ("completion csh", "`csh` is not one of `bash`, `zsh`, `fish`; see `rdoctl completion --help`"),
    ("man it's", '"it\'s" is not one of `rdo`, `rdoctl`, `rdo-rsh`; see `rdoctl man --help`'),
    ("stop a b", "unexpected extra argument `b`; see `rdoctl stop --help`"),
    ("init --port x", "`--port`: `x` is not a valid integer; see `rdoctl init --help`"),
    ("log -n x", "`--lines`: `x` is not a number of lines; as in `rdoctl log --lines 100`"),
    ("log -n -1", "`--lines`: `-1` is not a number of lines; as in `rdoctl log --lines 100`"),
    ("stop --all devbox", "TARGET, `--all` and `--profile` cannot be used together; use one of them"),
    ("forward add -p a --target b 80", "`--profile` and `--target` cannot be used together; use one of them"),
]


@pytest.mark.parametrize(("line", "complaint"), WRONG)
def test_a_wrong_command_line_is_one_line_that_says_what_to_type(
    line: str, complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(line.split()) == 2
    assert capfd.readouterr() == ("", f"rdoctl: {complaint}\n")


def paths(group: click.Group, *above: str) -> Iterator[list[str]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        yield [*above, name]
        if isinstance(command, click.Group):
            yield from paths(command, *above, name)


@pytest.mark.parametrize("words", list(paths(rdoctl)), ids=" ".join)
def test_each_command_reports_an_unknown_option(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*words, "--no-such-option"]) == 2
    assert capfd.readouterr().err.startswith("rdoctl: unknown option `--no-such-option`; see `rdo")


@pytest.mark.parametrize("words", [[], ["forward"], ["shim"]])
def test_without_a_command_the_help_is_on_stderr(words: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(words) == 2
    shown = capfd.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"{' '.join(['Usage: rdoctl', *words])} [OPTIONS] COMMAND [ARGS]...\n")


def test_other_usage_errors_are_reported_for_rdoctl() -> None:
    assert str(usage.error_of(click.UsageError("Odd."))) == "odd; see `rdoctl --help`"
