"""Tests for building a request from what was typed, and where."""

from __future__ import annotations

import os

import pytest

import rdo
from rdo.fscodec import fsencode
from rdo.ipc.release import release
from rdo.ipc.request import FLAGS, decode_request, encode_request
from tests.unit.client.typed import build

pytestmark = pytest.mark.usefixtures("bare_environment", "piped_stdin")


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


def test_it_can_be_serialized() -> None:
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


def test_dev_null_means_no_input() -> None:
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    assert build("ls").flags == b"n"


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
