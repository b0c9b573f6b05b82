"""Tests for parsing rdo's command lines, and for the errors about invalid ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.client.argv import FLAGS, VALUES, parse
from rdo.errors import UsageError
from tests.unit.client.given_options import given_by


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["make", "test"], {"command": ["make", "test"]}, id="a command"),
        pytest.param([""], {"command": [""]}, id="an empty command"),
        pytest.param(["-"], {"command": ["-"]}, id="a dash is a command"),
        pytest.param(["make", "-j4", "-p", "x"], {"command": ["make", "-j4", "-p", "x"]}, id="options of the command"),
        pytest.param(["a", "--", "-t"], {"command": ["a", "--", "-t"]}, id="two dashes of the command"),
        pytest.param(["--", "-t", "a"], {"command": ["-t", "a"]}, id="two dashes end the options"),
        pytest.param(["--", "--", "a"], {"command": ["--", "a"]}, id="only the first two dashes"),
        pytest.param(["-t", "--"], {"tty": True}, id="two dashes and no command"),
        pytest.param(["-t"], {"tty": True}, id="-t"),
        pytest.param(["-T"], {"tty": False}, id="-T"),
        pytest.param(["-t", "-T"], {"tty": False}, id="the last of -t and -T"),
        pytest.param(["-n"], {"stdin": False}, id="-n"),
        pytest.param(["-s"], {"sudo": True}, id="-s"),
        pytest.param(["--sudo", "id"], {"sudo": True, "command": ["id"]}, id="--sudo"),
        pytest.param(["--no-map"], {"map_args": False}, id="--no-map"),
        pytest.param(["-m"], {"map_output": True}, id="-m"),
        pytest.param(["--map-output"], {"map_output": True}, id="--map-output"),
        pytest.param(["--no-map-output"], {"map_output": False}, id="--no-map-output"),
        pytest.param(["-m", "--no-map-output"], {"map_output": False}, id="the last of -m and --no-map-output"),
        pytest.param(["--no-sync", "x"], {"no_sync": True, "command": ["x"]}, id="--no-sync"),
        pytest.param(["--sync-only"], {"sync_only": True}, id="--sync-only"),
        pytest.param(["--watch", "x", "--watch"], {"watch": True, "command": ["x", "--watch"]}, id="--watch"),
        pytest.param(["-L8000", "-R", "a:b:c"], {"forwards": ["L8000", "Ra:b:c"]}, id="-L and -R"),
        pytest.param(["-v"], {"verbose": True}, id="-v"),
        pytest.param(["--verbose"], {"verbose": True}, id="--verbose"),
        pytest.param(["-h"], {"help": True}, id="-h"),
        pytest.param(["--help"], {"help": True}, id="--help"),
        pytest.param(["--version"], {"version": True}, id="--version"),
        pytest.param(["-sTn"], {"sudo": True, "tty": False, "stdin": False}, id="a cluster"),
        pytest.param(["-p", "web"], {"profile": "web"}, id="-p"),
        pytest.param(["-pweb", "a"], {"profile": "web", "command": ["a"]}, id="-p and its value in a word"),
        pytest.param(["-p-t"], {"profile": "-t"}, id="a value that looks like an option"),
        pytest.param(["-p", "-t"], {"profile": "-t"}, id="a value of its own that looks like one"),
        pytest.param(["-p", "a", "--profile", "b"], {"profile": "b"}, id="the last profile"),
        pytest.param(["--profile=a=b"], {"profile": "a=b"}, id="--profile="),
        pytest.param(["-tp", "web", "a"], {"tty": True, "profile": "web", "command": ["a"]}, id="-p ends a cluster"),
        pytest.param(["-spT"], {"sudo": True, "profile": "T"}, id="the rest of a cluster is a value"),
        pytest.param(["--project", "/a b", "x"], {"project": "/a b", "command": ["x"]}, id="--project"),
        pytest.param(["--fallback", "x"], {"fallback": True, "command": ["x"]}, id="--fallback"),
        pytest.param(["-u", "me", "x"], {"user": "me", "command": ["x"]}, id="-u"),
        pytest.param(["-uroot", "-c", "id"], {"user": "root", "shell_string": "id"}, id="-u and a name in a word"),
        pytest.param(["-su", "me", "-c", "x"], {"sudo": True, "user": "me", "shell_string": "x"}, id="-u in a cluster"),
        pytest.param(["--user=1:2", "x"], {"user": "1:2", "command": ["x"]}, id="--user="),
        pytest.param(["--dir", "/srv"], {"remote_directory": "/srv"}, id="--dir"),
        pytest.param(["--dir=~/x y"], {"remote_directory": "~/x y"}, id="--dir="),
        pytest.param(["-e", "A=b=c", "--env", "_B", "--env=C="], {"env": ["A=b=c", "_B", "C="]}, id="variables"),
        pytest.param(["-eA9=\n"], {"env": ["A9=\n"]}, id="-e and a variable in a word"),
        pytest.param(["-ecc", "-e", "c"], {"env": ["cc", "c"]}, id="-e and a variable whose name starts with c"),
    ],
)
def test_options_before_the_command_are_parsed(words: list[str], expected: dict[str, object]) -> None:
    assert given_by(words) == expected


@pytest.mark.parametrize(
    ("words", "string", "arguments"),
    [
        pytest.param(["-c", "ls | wc"], "ls | wc", [], id="alone"),
        pytest.param(["-cls x"], "ls x", [], id="in one word"),
        pytest.param(["-cls"], "ls", [], id="in one word that could be options, without a string"),
        pytest.param(["-c", ""], "", [], id="empty"),
        pytest.param(["-tc", "x"], "x", [], id="at the end of a cluster"),
        pytest.param(["-c", "--", "-x"], "-x", [], id="after two dashes, as with sh"),
        pytest.param(["-c", 'echo "$@"', "sh", "-t", "--"], 'echo "$@"', ["sh", "-t", "--"], id="further arguments"),
        pytest.param(["-c", "a", "-c", "b"], "a", ["-c", "b"], id="what looks like an option after it"),
    ],
)
def test_a_shell_string_may_be_anything(words: list[str], string: str, arguments: list[str]) -> None:
    options = parse(words)
    assert (options.shell_string, options.command) == (string, arguments)


@pytest.mark.parametrize(
    ("options", "directory"),
    [
        pytest.param(["a"], "a", id="one"),
        pytest.param(["a", "b"], "a/b", id="relative to the one before"),
        pytest.param(["/a", "b", "../c"], "/a/b/../c", id="relative to an absolute one"),
        pytest.param(["a", "/b"], "/b", id="absolute"),
        pytest.param(["", "b"], "b", id="after an empty one"),
        pytest.param(["/"], "/", id="the root"),
    ],
)
def test_directories_of_several_options_are_joined(options: list[str], directory: str) -> None:
    words = [word for given in options for word in ("-C", given)]
    assert given_by(words) == {"directory": directory}


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param(["--nope"], "unknown option `--nope`; see `rdo --help`", id="long"),
        pytest.param(["--nope=1"], "unknown option `--nope=1`; see `rdo --help`", id="long with a value"),
        pytest.param(["--sudo=1"], "unknown option `--sudo=1`; see `rdo --help`", id="a flag with a value"),
        pytest.param(["--prof", "a"], "unknown option `--prof`; see `rdo --help`", id="a shortened one"),
        pytest.param(
            ["-x"], "unknown option `-x`; see `rdo --help`; put `--` before a command that starts with `-`", id="short"
        ),
        pytest.param(
            ["-sx"],
            "unknown option `-x`; see `rdo --help`; put `--` before a command that starts with `-`",
            id="in a cluster",
        ),
        pytest.param(["-p"], "option `-p` needs a value; see `rdo --help`", id="short without a value"),
        pytest.param(["-tc"], "option `-c` needs a shell string; see `rdo --help`", id="cluster without a string"),
        pytest.param(["-c", "-x"], "option `-c` needs a shell string; see `rdo --help`", id="-c, an option, no string"),
        pytest.param(
            ["-o", "a b", "-c", "x"],
            "unknown option `-o`; see `rdo --help`; put `--` before a command that starts with `-`",
            id="no name of an option",
        ),
        pytest.param(["--env"], "option `--env` needs a value; see `rdo --help`", id="long without a value"),
        pytest.param(["-p", ""], "option `-p` has an empty value; see `rdo --help`", id="no profile"),
        pytest.param(["--project="], "option `--project` has an empty value; see `rdo --help`", id="no project"),
        pytest.param(["--dir="], "option `--dir` has an empty value; see `rdo --help`", id="no directory"),
    ],
)
def test_a_wrong_option_is_named(words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert str(caught.value) == line


@pytest.mark.parametrize("name", ["", "9A", "a-b", "a b", "ä", "a.b", "A\n"])
@pytest.mark.parametrize("value", ["", "=x"], ids=["the caller's", "with a value"])
def test_a_variable_needs_a_name_that_is_valid_in_a_shell(name: str, value: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(["-e", name + value])
    shown = (name or value).replace("\n", r"\x0a") or "''"
    assert str(caught.value) == f"`{shown}` is not a valid environment variable name; use `-e NAME=VALUE`"


@given(st.lists(st.text()))
def test_nothing_after_the_first_word_is_parsed(words: list[str]) -> None:
    assert given_by(["make", *words]) == {"command": ["make", *words]}
    assert parse(["-s", "--", *words]).command == words


@given(st.lists(st.sampled_from([*FLAGS, *VALUES, "--", "-", "", "a=b", "-tsp", "-eA"]) | st.text()))
def test_any_command_line_is_parsed_or_refused(words: list[str]) -> None:
    try:
        command = parse(words).command
    except UsageError:
        return
    assert command == words[len(words) - len(command) :]
