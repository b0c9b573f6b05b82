"""Tests for mapping local paths to remote ones: in each form of an argument, and for the working directory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.drivers.root import Root
from rdo.errors import RdoError
from rdo.paths.mapping import MappedArgument, PathMapping

WORK = PathMapping([Root("/work", "/srv/app")])


@pytest.mark.parametrize(
    ("word", "arrives"),
    [
        pytest.param("/work", "/srv/app", id="the root itself"),
        pytest.param("/work/", "/srv/app/", id="with a slash at the end"),
        pytest.param("/work/a b/c", "/srv/app/a b/c", id="a path"),
        pytest.param("/work/a\nb", "/srv/app/a\nb", id="a newline in a path"),
        pytest.param("/work/\udcff", "/srv/app/\udcff", id="a byte that is not UTF-8"),
        pytest.param("--opt=/work/a", "--opt=/srv/app/a", id="behind a long option"),
        pytest.param("--c++.x_y=/work/a", "--c++.x_y=/srv/app/a", id="behind an option of odd letters"),
        pytest.param("-DDIR=/work/a", "-DDIR=/srv/app/a", id="behind a definition"),
        pytest.param("-I/work/a", "-I/srv/app/a", id="behind a short option"),
        pytest.param("@/work/a", "@/srv/app/a", id="behind an at sign"),
        pytest.param("-d@/work/a", "-d@/srv/app/a", id="behind a short option and an at sign"),
        pytest.param("--data=@/work/a", "--data=@/srv/app/a", id="behind a long option and an at sign"),
        pytest.param("NAME=/work/a", "NAME=/srv/app/a", id="behind a name"),
        pytest.param("_n1=@/work", "_n1=@/srv/app", id="behind a name and an at sign"),
        pytest.param("/work/a:/work/b", "/srv/app/a:/srv/app/b", id="a list"),
        pytest.param("/usr/bin:/work/bin::x:/work", "/usr/bin:/srv/app/bin::x:/srv/app", id="a list with other parts"),
        pytest.param("P=/work/a:/opt", "P=/srv/app/a:/opt", id="a list behind a name"),
        pytest.param("/work/a.c:12:3", "/srv/app/a.c:12:3", id="a line and a column"),
        pytest.param("-DX:PATH=/work/a", "-DX:PATH=/srv/app/a", id="behind a definition of cmake's with a type"),
        pytest.param("-DX:STRING=a;/work/b", "-DX:STRING=a;/srv/app/b", id="a list of cmake's"),
        pytest.param("/work/a;/opt;/work/b", "/srv/app/a;/opt;/srv/app/b", id="a list with semicolons"),
        pytest.param("--cov=/work/a,/work/b", "--cov=/srv/app/a,/srv/app/b", id="a list with commas"),
        pytest.param("--skip=a,/work/b", "--skip=a,/srv/app/b", id="a list with commas that starts otherwise"),
        pytest.param("/work/a,/work/b", "/srv/app/a,/srv/app/b", id="a list with commas alone"),
        pytest.param("-Wl,-rpath,/work/lib", "-Wl,-rpath,/srv/app/lib", id="an option of the linker"),
        pytest.param("-Wl,-rpath=/work/a:/work/b,-x", "-Wl,-rpath=/srv/app/a:/srv/app/b,-x", id="one with a list"),
        pytest.param("type=bind,source=/work/a,target=/a", "type=bind,source=/srv/app/a,target=/a", id="docker's"),
        pytest.param("--mount=type=bind,src=/work", "--mount=type=bind,src=/srv/app", id="docker's in one word"),
        pytest.param("-javaagent:/work/a.jar=x", "-javaagent:/srv/app/a.jar=x", id="behind a colon of java's"),
        pytest.param("-L/work/a,/work/b", "-L/srv/app/a,/srv/app/b", id="a list behind a short option"),
        pytest.param("--x=@/work/a;@/work/b", "--x=@/srv/app/a;@/srv/app/b", id="a list of files to read"),
        pytest.param("/work/a=/work/b", "/srv/app/a=/work/b", id="only at the start"),
    ],
)
def test_a_local_path_is_rewritten(word: str, arrives: str) -> None:
    assert WORK.argument(word) == arrives


@pytest.mark.parametrize(
    "word",
    [
        pytest.param("", id="empty"),
        pytest.param("work/a", id="relative"),
        pytest.param("./work", id="relative with a dot"),
        pytest.param("../work/a", id="relative to above"),
        pytest.param("/workshop/a", id="a longer name"),
        pytest.param("/wor", id="a shorter name"),
        pytest.param("/", id="above the root"),
        pytest.param("/tmp/work", id="elsewhere"),
        pytest.param("//work/a", id="two slashes"),
        pytest.param("x/work/a", id="in a word"),
        pytest.param("see /work/a", id="in a sentence"),
        pytest.param(" /work/a", id="behind a space"),
        pytest.param("s,/work/a,b,", id="in a sed script"),
        pytest.param("file:///work/a", id="in a URL"),
        pytest.param("--url=file:///work/a", id="in a URL behind an option"),
        pytest.param("--expression=s,/work/a,b,", id="in a sed script behind an option"),
        pytest.param("a,/work/a", id="in a list with commas that starts otherwise, without an option"),
        pytest.param("a;/work/a", id="behind a semicolon without an option"),
        pytest.param("-va,/work/a", id="behind a short option with a value that is no path"),
        pytest.param("--to=host:/work/a", id="on another host, behind an option"),
        pytest.param("--to=a,host:/work/a", id="on another host, in a list"),
        pytest.param("-DX:PATH:Y=/work/a", id="behind two colons"),
        pytest.param("-Wx,/work/a", id="behind what only looks like an option of the linker"),
        pytest.param("host:/work/a", id="on another host"),
        pytest.param("a:/work/a", id="in a list that starts otherwise"),
        pytest.param("-abc/work/a", id="behind several letters"),
        pytest.param("--opt/work/a", id="behind a long option without ="),
        pytest.param("--opt= /work", id="behind a space after ="),
        pytest.param("A B=/work/a", id="behind what is no name"),
        pytest.param("1=/work/a", id="behind a number"),
        pytest.param("A==/work/a", id="behind two ="),
        pytest.param("--=/work/a", id="behind no option"),
        pytest.param("@@/work/a", id="behind two at signs"),
        pytest.param("'/work/a'", id="in quotes"),
        pytest.param("$(cat /work/a)", id="in a shell string"),
        pytest.param("\n/work/a", id="behind a newline"),
    ],
)
def test_anything_else_is_left_alone(word: str) -> None:
    assert WORK.argument(word) == word


@given(st.text(st.characters()))
def test_a_word_without_a_root_is_unchanged(word: str) -> None:
    assert WORK.argument(word.replace("/work", "")) == word.replace("/work", "")


def test_arguments_are_listed_as_typed_and_as_they_arrive() -> None:
    assert WORK.arguments(["cc", "-I/work"]) == [MappedArgument("cc", "cc"), MappedArgument("-I/work", "-I/srv/app")]


@pytest.mark.parametrize(
    ("local", "remote", "path", "arrives"),
    [
        pytest.param("/", "/host", "/", "/host", id="all of this machine"),
        pytest.param("/", "/host", "/a/b", "/host/a/b", id="below all of this machine"),
        pytest.param("/work", "/", "/work", "/", id="to all of the target"),
        pytest.param("/work", "/", "/work/", "/", id="to all of the target, with a slash"),
        pytest.param("/work", "/", "/work/a", "/a", id="below all of the target"),
        pytest.param("/", "/", "/", "/", id="all to all"),
        pytest.param("/", "/", "/a", "/a", id="below all to all"),
        pytest.param("/work", "/srv/app/", "/work/a", "/srv/app/a", id="to a directory written with a slash"),
        pytest.param("/work", "/srv/app/", "/work", "/srv/app", id="to that directory itself"),
        pytest.param("/work", "app", "/work/a", "app/a", id="to a directory in the login directory"),
        pytest.param("/work", "/srv", "/other", None, id="elsewhere"),
    ],
)
def test_a_path_below_a_root_is_mapped(local: str, remote: str, path: str, arrives: str | None) -> None:
    assert PathMapping([Root(local, remote)]).to_remote(path) == arrives


@pytest.mark.parametrize(
    ("path", "arrives"),
    [("/a/x", "/1/x"), ("/a/b", "/2"), ("/a/b/x", "/2/x"), ("/a/b/c/x", "/3/x"), ("/a/bc", "/1/bc"), ("/x", "/0/x")],
)
def test_the_longest_root_wins(path: str, arrives: str) -> None:
    roots = [Root("/a", "/1"), Root("/a/b/c", "/3"), Root("/", "/0"), Root("/a/b", "/2")]
    assert PathMapping(roots).to_remote(path) == arrives


@pytest.mark.parametrize(
    ("pwd", "cwd", "remote"),
    [
        pytest.param("/work/a", "/work/a", "/srv/app/a", id="one path"),
        pytest.param("/work/link", "/work/real", "/srv/app/link", id="as the shell shows it"),
        pytest.param("/home/link", "/work/real", "/srv/app/real", id="the physical path"),
    ],
)
def test_the_working_directory_is_mapped(pwd: str, cwd: str, remote: str) -> None:
    assert WORK.directory(pwd, cwd) == remote


@pytest.mark.parametrize(
    ("roots", "why"),
    [
        pytest.param([], "no directory is", id="no root"),
        pytest.param([Root("/a", "/b")], "only directories in `/a` are", id="one root"),
        pytest.param(
            [Root("/a", "/b"), Root("/longer", "/c")], "only directories in `/longer`, `/a` are", id="two roots"
        ),
    ],
)
def test_a_working_directory_elsewhere_is_an_error_that_names_the_roots(roots: list[Root], why: str) -> None:
    with pytest.raises(RdoError) as caught:
        PathMapping(roots).directory("/tmp/x", "/private/tmp/x")
    assert str(caught.value) == f"`/tmp/x` is not on the target: {why}; `cd` there, or use `--dir REMOTE`"


@pytest.mark.parametrize("name", ["/a,b", "/a;b", "/a:b"])
def test_a_separator_in_the_name_of_a_root_is_not_a_separator(name: str) -> None:
    mapping = PathMapping([Root(name, "/srv")])
    assert mapping.argument(f"--x={name}/c,{name},{name}d") == f"--x=/srv/c,/srv,{name}d"
    assert mapping.argument(f"{name}:{name}/e") == "/srv:/srv/e"
