"""Tests for parsing command lines of ssh(1) that other programs write."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.errors import UsageError
from rdo.rsh.ssh_argv import DROPPED, DROPPED_WITH_VALUE, REFUSED, SshCommand, parse

NOTHING = asdict(SshCommand())

ANSIBLE = [
    "-C", "-o", "ControlMaster=auto", "-o", "ControlPersist=60s", "-o", "StrictHostKeyChecking=no",
    "-o", "KbdInteractiveAuthentication=no", "-o", "PreferredAuthentications=gssapi-with-mic,publickey",
    "-o", "PasswordAuthentication=no", "-o", 'User="deploy"', "-o", "ConnectTimeout=10",
    "-o", 'ControlPath="/home/me/.ansible/cp/ccdf2acfb8"', "-o", "NumberOfPasswordPrompts=1", "-o", "Port=2222",
]  # fmt: skip
"""What ansible-core 2.x puts before the host."""


def given_by(*words: str) -> dict[str, object]:
    """What differs from an empty command line."""
    return {name: value for name, value in asdict(parse(words)).items() if value != NOTHING[name]}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param([], {}, id="nothing"),
        pytest.param(["a"], {"host": "a"}, id="a host"),
        pytest.param([""], {"host": ""}, id="an empty host"),
        pytest.param(["-l", "me", ""], {"host": "", "user": "me"}, id="a user of an empty host"),
        pytest.param(["-"], {"host": "-"}, id="a dash"),
        pytest.param(["a", "ls", "-l", "--x"], {"host": "a", "words": ["ls", "-l", "--x"]}, id="a command"),
        pytest.param(["a", ""], {"host": "a", "words": [""]}, id="an empty command"),
        pytest.param(["a", "-l", "me", "ls"], {"host": "a", "user": "me", "words": ["ls"]}, id="options after it"),
        pytest.param(["--", "a", "ls"], {"host": "a", "words": ["ls"]}, id="two dashes"),
        pytest.param(["a", "--", "-x"], {"host": "a", "words": ["-x"]}, id="two dashes after the host"),
        pytest.param(["--"], {}, id="two dashes alone"),
        pytest.param(["me@a"], {"host": "a", "user": "me"}, id="a user"),
        pytest.param(["me@corp@a"], {"host": "a", "user": "me@corp"}, id="a user with an at sign"),
        pytest.param(["-l", "you", "me@a"], {"host": "a", "user": "you"}, id="-l counts before the host's"),
        pytest.param(["ssh://me@a:22/"], {"host": "a", "user": "me", "port": 22}, id="an address"),
        pytest.param(["ssh://a"], {"host": "a"}, id="an address without user and port"),
        pytest.param(["fe80::1"], {"host": "fe80::1"}, id="IPv6"),
        pytest.param(["-p", "22", "-p", "23", "a"], {"host": "a", "port": 22}, id="the first port"),
        pytest.param(["-p22", "-lme"], {"port": 22, "user": "me"}, id="values in the same word"),
        pytest.param(["-Tn"], {"tty": -1, "stdin": False}, id="-T and -n"),
        pytest.param(["-t"], {"tty": 1}, id="-t"),
        pytest.param(["-tt"], {"tty": 2}, id="-tt"),
        pytest.param(["-T", "-t", "-t"], {"tty": 2}, id="-t after -T"),
        pytest.param(["-vvv"], {"verbose": True}, id="-v"),
        pytest.param(["-V"], {"version": True}, id="-V"),
        pytest.param(["--help"], {"help": True}, id="--help"),
        pytest.param(["-G", "a"], {"query": True, "host": "a"}, id="-G"),
        pytest.param(["-O", "check", "a"], {"control": "check", "host": "a"}, id="-O"),
        pytest.param(["--profile", "ci", "--project=/a"], {"profile": "ci", "project": "/a"}, id="rdo's own"),
        pytest.param(["-o", "RequestTTY=force"], {"tty": 2}, id="RequestTTY"),
        pytest.param(["-o", "requesttty no", "-oRequestTTY=yes"], {"tty": -1}, id="the first RequestTTY"),
        pytest.param(["-o", "StdinNull yes"], {"stdin": False}, id="StdinNull"),
        pytest.param(["-o", "StdinNull=no"], {}, id="StdinNull=no"),
        pytest.param(["-o", "SendEnv=A B_*", "-o", "SendEnv C"], {"send_env": ["A", "B_*", "C"]}, id="SendEnv"),
        pytest.param(["-o", "SetEnv=A=1 B='x y'"], {"set_env": ["A=1", "B=x y"]}, id="SetEnv"),
        pytest.param(["-o", "HostName=b", "-o", "HostName=c"], {"hostname": "b"}, id="HostName"),
        pytest.param(["-o", "User=me", "-o", "Port=22"], {"user": "me", "port": 22}, id="User and Port"),
        pytest.param(["-o", "ProxyCommand=x y", "-o", "nonsense"], {}, id="options that are ssh's business"),
        pytest.param([*ANSIBLE, "a"], {"host": "a", "user": "deploy", "port": 2222}, id="as Ansible has them"),
    ],
)
def test_a_command_line_is_parsed_as_by_ssh(words: list[str], expected: dict[str, object]) -> None:
    assert given_by(*words) == expected


@pytest.mark.parametrize("letter", sorted(DROPPED))
def test_an_option_that_only_concerns_the_connection_is_dropped(letter: str) -> None:
    assert given_by(f"-{letter}", "a", "ls") == {"host": "a", "words": ["ls"]}


@pytest.mark.parametrize("letter", sorted(DROPPED_WITH_VALUE))
def test_an_option_that_only_concerns_the_connection_is_dropped_with_its_value(letter: str) -> None:
    assert given_by(f"-{letter}", "-x", f"-n{letter}x", "a") == {"host": "a", "stdin": False}


@pytest.mark.parametrize("letter", sorted(REFUSED))
def test_an_unsupported_option_is_refused(letter: str) -> None:
    hint = f"use `rdo -{letter}`" if letter in "LRD" else "use `ssh`"
    with pytest.raises(UsageError, match=f"^`-{letter}` is not supported by rdo-rsh: it .*; {hint}$"):
        parse([f"-n{letter}", "x", "a"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-Z"], "unknown option `-Z`; rdo-rsh accepts the options of `ssh`"),
        (["--x=1"], "unknown option `--x=1`; see `rdo-rsh --help`"),
        (["-l"], "option `-l` needs a value; see `rdo-rsh --help`"),
        (["--profile"], "option `--profile` needs a value; see `rdo-rsh --help`"),
        (["-p", "ssh"], "`ssh` is not a valid port; use a number, as in `-p 22`"),
        (["-O", "forward"], "`-O forward` is not supported by rdo-rsh: it forwards no ports; use `ssh`"),
        (["-o", "SetEnv=A='1"], "cannot parse `-o SetEnv=A='1`: no closing quotation; use `-o NAME=VALUE`"),
    ],
)
def test_a_wrong_command_line_is_an_error(words: list[str], line: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(words)
    assert str(caught.value) == line


@given(st.lists(st.sampled_from(["-o", "-p", "-tt", "--", "-", "", "a", "-oUser=x", "-GVn", "SetEnv='"]) | st.text()))
def test_any_command_line_is_parsed_or_refused(words: list[str]) -> None:
    try:
        rest = list(parse(words).words)
    except UsageError:
        return
    assert rest == words[len(words) - len(rest) :]
