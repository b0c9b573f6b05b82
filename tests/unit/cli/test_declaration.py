"""Tests for which command lines of `rdoctl` are simple enough to be parsed without click."""

from __future__ import annotations

import importlib

import click
import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from rdo.cli import command_group
from rdo.cli.command_table import COMMANDS
from rdo.cli.declaration import HELP_WORDS, Choice, Command, LeftToClick, Option


def run(**given: object) -> None:
    """Print the parameters."""
    if given.get("deep"):
        raise LeftToClick
    print(given)


DECLARED = Command(
    "try",
    run,
    (
        Option("deep", ("--deep", "-d"), "Deep."),
        Option("name", ("--name",), "Whose.", "NAME"),
        Choice("kind", ("a", "b")),
    ),
)

PLAIN = [
    ([], {"deep": False, "name": None, "kind": None}),
    (["-d"], {"deep": True, "name": None, "kind": None}),
    (["b", "--name", "x y", "--deep"], {"deep": True, "name": "x y", "kind": "b"}),
]


@pytest.mark.parametrize(("words", "values"), PLAIN)
def test_a_plain_command_line_is_parsed_as_by_click(words: list[str], values: dict[str, object]) -> None:
    assert DECLARED.read(words) == values
    seen: list[dict[str, object]] = []
    CliRunner().invoke(
        command_group.built(Command("try", lambda **given: seen.append(given), DECLARED.parameters)), words
    )
    assert seen == [values]


@pytest.mark.parametrize("line", ["--help", "c", "a b", "-d -d", "--name", "--name -d", "--name=x", "--dee", "-dd"])
def test_all_other_command_lines_are_left_to_click(line: str) -> None:
    assert DECLARED.read(line.split()) is None


def test_a_command_can_take_all_words_unparsed() -> None:
    declared = Command("try", run, rest="words", metavar="[WORD]...")
    assert declared.read(["--help", "-x"]) == {"words": ("--help", "-x")}
    done = CliRunner().invoke(command_group.built(declared), ["--help", "-x"])
    assert done.output == "{'words': ('--help', '-x')}\n"


OFFERS = [
    ([], "-"),
    ([], "--n"),
    ([], ""),
    ([], "a"),
    (["a"], "--d"),
    (["--deep"], "-"),
    (["-d"], "--"),
    (["--name"], ""),
]


@pytest.mark.parametrize(("before", "last"), OFFERS)
def test_what_a_shell_offers_is_what_click_would_offer(before: list[str], last: str) -> None:
    group = click.Group("top", context_settings={"help_option_names": list(HELP_WORDS)})
    group.add_command(command_group.built(DECLARED))
    by_click = ShellComplete(group, {}, "top", "").get_completions(["try", *before], last)
    assert sorted(DECLARED.offers(before, last)) == sorted((each.value, each.help or "") for each in by_click)


def test_nothing_is_offered_where_any_word_may_follow() -> None:
    assert Command("try", run, rest="words").offers([], "-") == []


@pytest.mark.parametrize(
    ("words", "status", "shown"),
    [
        (["-d"], 0, "Print the parameters."),
        (["c"], 2, "'c' is not one of"),
    ],
)
def test_help_and_errors_are_shown_as_by_click(words: list[str], status: int, shown: str) -> None:
    done = CliRunner().invoke(command_group.built(DECLARED), words)
    assert done.exit_code == status
    assert shown in done.output


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_of_each_command_what_its_own_help_says(name: str) -> None:
    command = command_group.rdoctl.get_command(click.Context(command_group.rdoctl), name)
    assert command
    assert command.name == name
    assert command.get_short_help_str(limit=1000) == COMMANDS[name].summary


def test_the_help_shows_all_commands() -> None:
    lines = CliRunner().invoke(command_group.rdoctl, ["--help"]).output.splitlines()
    rows = lines[lines.index("Commands:") + 1 :]
    listed = [row.split()[0] for row in rows[: rows.index("")] if row[2] != " "]
    assert listed == sorted(COMMANDS)
    assert max(map(len, lines)) < 80


@pytest.mark.parametrize("words", [[], ["forward"], ["ide"], ["service"], ["shim"], ["sync"]], ids=" ".join)
def test_a_summary_is_wrapped_and_not_cut_off(words: list[str]) -> None:
    shown = CliRunner().invoke(command_group.rdoctl, [*words, "--help"]).output
    summaries = shown.partition("\nCommands:\n")[2].partition("\n\n")[0]
    assert summaries
    assert "..." not in summaries


def test_each_module_of_the_table_exists() -> None:
    assert all(hasattr(importlib.import_module(entry.module), "command") for entry in COMMANDS.values())


def test_values_are_offered_if_they_are_known() -> None:
    def found() -> list[tuple[str, str]]:
        return [("one", "first"), ("two", "")]

    option = Option("profile", ("-p",), "Help.", "NAME", found)
    command = Command("try", run, (Choice("target", metavar="TARGET", offers=found), option))
    assert command.offers([], "o") == command.offers(["-p"], "o") == [("one", "first")]
    assert command.offers(["one"], "") == []
    unknown = Command("try", run, (Choice("target", metavar="TARGET"), Option("profile", ("-p",), "Help.", "NAME")))
    assert unknown.offers([], "") == unknown.offers(["-p"], "") == []
