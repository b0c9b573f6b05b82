"""What was typed, and where, as the request for a command."""

from __future__ import annotations

import os
import pty
from collections.abc import Iterator

import pytest

import rdo
from rdo.client import request
from rdo.client.argv import parse
from rdo.fscodec import fsencode
from rdo.ipc.release import release
from rdo.ipc.request import FLAGS, Request, decode_request, encode_request
from rdo.project import FoundConfig

FOUND = FoundConfig("/work/.rdo.conf", "/link", "/link/a\udcff", "/work/a\udcff", "stamp")

NO_TERMINAL: tuple[int, ...] = ()


@pytest.fixture(autouse=True)
def _stdin() -> Iterator[None]:
    """A pipe, where pytest has /dev/null."""
    before, (here, there) = os.dup(0), os.pipe()
    os.dup2(here, 0)
    yield
    os.dup2(before, 0)
    for fd in (before, here, there):
        os.close(fd)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment of three variables, and no terminal."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("A", "1=\udcff")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("TERM", "xterm")
    terminals_are(monkeypatch, NO_TERMINAL)


def terminals_are(monkeypatch: pytest.MonkeyPatch, descriptors: tuple[int, ...]) -> None:
    monkeypatch.setattr(os, "isatty", lambda fd: fd in descriptors)


def build(*words: str) -> Request:
    return request.build(parse(list(words)), FOUND, os.environ)


def test_a_request_holds_what_was_typed_and_where() -> None:
    built = build("-p", "web", "--dir", "x\udcff", "make", "a\udcff")
    built.environ = [item for item in built.environ if not item.startswith(b"PYTEST_")]
    assert {name: getattr(built, name) for name in built.__slots__} == {
        "version": release(),
        "place": fsencode(rdo.__path__[0]),
        "config": b"/work/.rdo.conf",
        "profile": b"web",
        "stamp": b"stamp",
        "root": b"/link",
        "pwd": b"/link/a\xff",
        "cwd": b"/work/a\xff",
        **dict.fromkeys(FLAGS, False),
        "shell_options": b"-c",
        "remote_directory": b"x\xff",
        "user": b"",
        "term": b"xterm",
        "modes": b"",
        "window": (0, 0, 0, 0),
        "arguments": [b"make", b"a\xff"],
        "variables": [],
        "forwards": [],
        "environ": [b"A=1=\xff", b"EMPTY=", b"TERM=xterm"],
    }


def test_it_can_be_sent() -> None:
    built = build("-e", "A", "make")
    assert encode_request(decode_request(encode_request(built))) == (encode_request(built))


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param(["-c", "ls | wc"], [b"ls | wc"], id="a shell string"),
        pytest.param(["-c", "", "sh", "a"], [b"", b"sh", b"a"], id="an empty one with arguments"),
    ],
)
def test_a_shell_string_is_the_first_argument(words: list[str], arguments: list[bytes]) -> None:
    assert build(*words).arguments == arguments


@pytest.mark.parametrize(
    ("words", "flags"),
    [
        ("ls", b""),
        ("-c ls", b"c"),
        ("-s ls", b"s"),
        ("--no-map ls", b"m"),
        ("-m ls", b"o"),
        ("--no-map-output ls", b"O"),
        ("-t ls", b"p"),
        ("-v ls", b"v"),
        ("-n ls", b"n"),
        ("-vtsm --no-map -c ls", b"csmopv"),
    ],
)
def test_each_option_has_its_letter(words: str, flags: bytes) -> None:
    assert build(*words.split()).flags == flags


def test_dev_null_is_no_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    assert build("ls").flags == b"n"


@pytest.mark.parametrize(
    ("words", "terminals", "expected"),
    [
        pytest.param([], (0, 1, 2), True, id="three terminals"),
        pytest.param([], (1, 2), False, id="stdin is not a terminal"),
        pytest.param([], (0, 2), False, id="stdout is not a terminal"),
        pytest.param([], (0, 1), False, id="stderr is not a terminal"),
        pytest.param(["-n"], (0, 1, 2), False, id="no stdin"),
        pytest.param(["-T"], (0, 1, 2), False, id="forbidden"),
        pytest.param(["-t"], (), True, id="forced"),
        pytest.param(["-tn"], (), True, id="forced without stdin"),
    ],
)
def test_a_pty_is_for_three_terminals_or_on_demand(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    assert build(*words).pty is expected


@pytest.mark.parametrize("words", [["ls"], ["-c", "ls"], ["-ec", "ls"]], ids=["a command", "-c", "-ec"])
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        pytest.param(" -j3 --jobserver-auth=3,4 -- A=1", False, id="several jobs"),
        pytest.param(" -j3 --jobserver-auth=fifo:/tmp/GMfifo1", False, id="several jobs of make 4.4"),
        pytest.param(" --jobserver-fds=3,4 -j", False, id="several jobs of make 3.81"),
        pytest.param("k -j", False, id="as many jobs as there are"),
        pytest.param(" -j 2 -J 3,4", False, id="several jobs of bmake"),
        pytest.param("k", True, id="no word of jobs"),
        pytest.param(" -j1", True, id="one job"),
        pytest.param("k -- X=-j3 -j3", True, id="a variable"),
        pytest.param("", True, id="nothing"),
    ],
)
def test_a_recipe_that_shares_the_terminal_with_other_jobs_has_no_pty(
    monkeypatch: pytest.MonkeyPatch, words: list[str], flags: str, expected: bool
) -> None:
    terminals_are(monkeypatch, (0, 1, 2))
    monkeypatch.setattr(os, "getpgrp", lambda: os.getpid() - 1)
    monkeypatch.setenv("MAKEFLAGS", flags)
    assert build(*words).pty is expected
    assert build("-t", *words).pty


def test_what_is_typed_into_a_shell_that_such_a_make_has_started_has_a_pty(monkeypatch: pytest.MonkeyPatch) -> None:
    terminals_are(monkeypatch, (0, 1, 2))
    monkeypatch.setattr(os, "getpgrp", os.getpid)
    monkeypatch.setenv("MAKEFLAGS", " -j3 --jobserver-auth=3,4")
    assert build("ls").pty


@pytest.mark.parametrize(
    ("words", "terminals", "term", "expected"),
    [
        pytest.param([], (2,), "xterm", True, id="stderr is a terminal"),
        pytest.param([], (0, 1), "xterm", False, id="stderr is not a terminal"),
        pytest.param([], (2,), "dumb", False, id="a terminal that cannot take a line back"),
        pytest.param([], (2,), "", False, id="a terminal without a name"),
        pytest.param(["-v"], (2,), "xterm", False, id="each step has a line of its own"),
    ],
)
def test_progress_is_for_a_terminal_that_can_take_it_back(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], term: str, expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    monkeypatch.setenv("TERM", term)
    assert build(*words).progress is expected


@pytest.mark.parametrize(
    ("words", "terminals", "expected"),
    [
        pytest.param([], (0, 2), True, id="stdin and stderr are terminals"),
        pytest.param(["-T"], (0, 2), True, id="without a pty"),
        pytest.param(["-n"], (0, 2), False, id="stdin is not read"),
        pytest.param(["-t"], (1, 2), False, id="stdin is not a terminal"),
        pytest.param([], (0, 1), False, id="stderr is not a terminal"),
    ],
)
def test_a_question_can_be_asked_of_who_sees_it_and_types(
    monkeypatch: pytest.MonkeyPatch, words: list[str], terminals: tuple[int, ...], expected: bool
) -> None:
    terminals_are(monkeypatch, terminals)
    assert build(*words).can_answer is expected


def test_the_window_of_a_forced_pty_has_a_size() -> None:
    rows, columns, _, _ = build("-t").window
    assert rows > 0
    assert columns > 0


def test_the_modes_are_those_of_the_terminal_that_stdin_is() -> None:
    near, far = pty.openpty()
    os.dup2(far, 0)
    assert b"intr=3 " in build("-t").modes
    assert build("-T").modes == b""
    os.close(near)
    os.close(far)


@pytest.mark.parametrize(
    ("words", "variables", "profile"),
    [
        pytest.param([], {}, b"default", id="none"),
        pytest.param([], {"RDO_ENV": "a"}, b"a", id="RDO_ENV"),
        pytest.param([], {"RDO_ENV": "a", "RDO_PROFILE": "b"}, b"b", id="RDO_PROFILE"),
        pytest.param([], {"RDO_ENV": "a", "RDO_PROFILE": ""}, b"a", id="an empty RDO_PROFILE"),
        pytest.param(["-p", "c"], {"RDO_ENV": "a", "RDO_PROFILE": "b"}, b"c", id="an option"),
    ],
)
def test_the_profile_is_as_given_or_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, words: list[str], variables: dict[str, str], profile: bytes
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert build(*words).profile == profile


@pytest.mark.parametrize(
    ("given", "variables"),
    [
        pytest.param(["B=2"], [b"B=2"], id="with a value"),
        pytest.param(["B="], [b"B="], id="with an empty value"),
        pytest.param(["A"], [b"A=1=\xff"], id="the caller's value"),
        pytest.param(["EMPTY"], [b"EMPTY="], id="the caller's empty value"),
        pytest.param(["NOT_SET"], [], id="the caller has none"),
        pytest.param(["A=x", "A", "B=2"], [b"A=x", b"A=1=\xff", b"B=2"], id="several, in order"),
    ],
)
def test_variables_are_as_given_or_the_callers(given: list[str], variables: list[bytes]) -> None:
    assert build(*(word for item in given for word in ("-e", item))).variables == variables


def test_without_a_terminals_name_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM")
    assert build("ls").term == b""
