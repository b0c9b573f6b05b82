"""Tests for command lines with options of sh, as distinguished from those of rdo."""

from __future__ import annotations

import pytest

from rdo.client.argv import parse
from tests.unit.client.given_options import given_by


@pytest.mark.parametrize(
    "flags",
    [
        "-c", "-ec", "-ce", "-xc", "-xec", "-cex", "-e -c", "-c -e", "-euc", "-eu -c", "-u -e -c", "-euo pipefail -c",
        "-eEuo pipefail -c", "-o errexit -c", "-o errexit -o nounset -c", "-ceo pipefail", "-c -o pipefail", "+e -c",
        "-c +e", "-e +x -c", "+o errexit -c", "-hc", "-h -c", "-lc", "-ic", "-vec", "-tec", "-c --", "-e -c -",
        "-e -c --", "-O globstar -c", "-fc", "-nec", "-c -s", "-c -T",
    ],
)  # fmt: skip
def test_options_of_sh_up_to_its_string_are_the_shells(flags: str) -> None:
    options = parse([*flags.split(), "false; true", "name", "-e"])
    assert options.shell_options == flags.split()
    assert (options.shell_string, options.command) == ("false; true", ["name", "-e"])
    assert (options.verbose, options.sudo, options.env, options.tty) == (False, False, [], None)


@pytest.mark.parametrize("letter", "abCefhimnuvx")
@pytest.mark.parametrize(
    "form", ["-{}c", "-c{}", "-{} -c", "-c -{}", "-{} -e -c", "-{} -fxc", "-o noglob -{} -c", "+{} -c"]
)
def test_each_option_that_posix_has_for_a_string_is_the_shells_in_any_form(letter: str, form: str) -> None:
    flags = form.format(letter).split()
    expected = {"shell_options": flags, "shell_string": "true", "command": ["name"]}
    assert given_by([*flags, "true", "name"]) == {key: value for key, value in expected.items() if value != ["-c"]}


@pytest.mark.parametrize("flags", ["-Cec", "-Ceuxc", "-Ceuo pipefail -c", "-Ce -c", "-nvc", "-mec", "-vm -nc"])
def test_clusters_that_begin_as_options_of_rdo_do_are_the_shells(flags: str) -> None:
    assert given_by([*flags.split(), "a"]) == {"shell_options": flags.split(), "shell_string": "a"}


@pytest.mark.parametrize(
    ("words", "expected", "flags"),
    [
        pytest.param(["-s", "-ec", "a"], {"sudo": True}, ["-ec"], id="an option of rdo before"),
        pytest.param(["-sc", "a"], {"sudo": True}, ["-c"], id="a cluster of rdo's and c"),
        pytest.param(["-s", "-c", "a"], {"sudo": True}, ["-c"], id="sudo, which no sh has beside -c"),
        pytest.param(["-v", "-T", "-c", "a"], {"verbose": True, "tty": False}, ["-c"], id="one that no sh has after"),
        pytest.param(["-Tn", "-c", "a"], {"tty": False, "stdin": False}, ["-c"], id="one that no sh has in the word"),
        pytest.param(["-n", "-p", "w", "-c", "a"], {"stdin": False, "profile": "w"}, ["-c"], id="a profile after"),
        pytest.param(["-Cmain", "-c", "a"], {"directory": "main"}, ["-c"], id="a directory of letters that sh knows"),
        pytest.param(["-Cabc", "-c", "a"], {"directory": "abc"}, ["-c"], id="a directory of letters, with a c"),
        pytest.param(["-vTc", "-e", "a"], {"verbose": True, "tty": False}, ["-c", "-e"], id="and an option of sh"),
        pytest.param(["-e", "X=1", "-T", "-c", "a"], {"env": ["X=1"], "tty": False}, ["-c"], id="a variable"),
        pytest.param(["-eDEBUG", "-c", "a"], {"env": ["DEBUG"]}, ["-c"], id="a name that no options of sh would be"),
        pytest.param(["-eCC", "-c", "a"], {"env": ["CC"]}, ["-c"], id="a name that repeats a letter"),
        pytest.param(["-pe", "-C", "c", "-xc", "a"], {"profile": "e", "directory": "c"}, ["-xc"], id="values"),
    ],
)
def test_options_of_rdo_come_before_those_of_sh(
    words: list[str], expected: dict[str, object], flags: list[str]
) -> None:
    assert parse(words).shell_options == flags
    found = {name: value for name, value in given_by(words).items() if name != "shell_options"}
    assert found == {**expected, "shell_string": "a"}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["-Cface", "x"], {"directory": "face", "command": ["x"]}, id="a directory, in one word"),
        pytest.param(
            ["-n", "-v", "x", "-c"], {"stdin": False, "verbose": True, "command": ["x", "-c"]}, id="no string"
        ),
        pytest.param(["-eu", "make"], {"env": ["u"], "command": ["make"]}, id="a variable, without -c"),
        pytest.param(["-e", "c", "make", "-c"], {"env": ["c"], "command": ["make", "-c"]}, id="a -c of the command"),
        pytest.param(["+e"], {"command": ["+e"]}, id="a command with a plus"),
        pytest.param(["+", "-c", "x"], {"command": ["+", "-c", "x"]}, id="a plus"),
        pytest.param(["+Z", "-c", "x"], {"command": ["+Z", "-c", "x"]}, id="no option of sh"),
    ],
)
def test_what_is_not_a_call_of_sh_is_an_ordinary_command(words: list[str], expected: dict[str, object]) -> None:
    assert given_by(words) == expected


@pytest.mark.parametrize("words", [["-p", "-c"], ["-C", "-ec"], ["-p", "-e", "-c"], ["-C", "+e", "-c"]])
def test_an_option_followed_by_an_option_is_the_shells(words: list[str]) -> None:
    options = parse([*words, "true"])
    assert (options.shell_options, options.shell_string) == (words, "true")
    assert (options.profile, options.directory) == ("", "")
