"""Tests for the tokens, tildes and variables of ssh_config(5), including those that are an error, as with ssh."""

from __future__ import annotations

import hashlib
import pwd

import pytest

from rdo.drivers.ssh.tokens import NotedVariables, Tokens

TOKENS = Tokens(original="box", hostname="box.lan", home="/home/me", environment={"PWD": "/here", "X": "%h"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("~", "/home/me"),
        ("~/key", "/home/me/key"),
        ("~root/key", f"{pwd.getpwnam('root').pw_dir}/key"),
        ("%d/%n", "/home/me/box"),
        ("key", "/here/key"),
        ("/a~b/100%%", "/a~b/100%"),
        ("/${X}/%h", "/%h/box.lan"),
    ],
)
def test_a_path_is_expanded_as_by_ssh(text: str, expected: str) -> None:
    assert TOKENS.path(text) == expected


def test_the_digest_of_a_connection_is_the_same_as_in_ssh() -> None:
    tokens = TOKENS._replace(local_host="here", port=2222, user="me", jump="gate")
    assert tokens.expand("%C") == hashlib.sha1(b"herebox.lan2222megate").hexdigest()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/%z/key", "the token `%z` has no value"),
        ("/key%", "the token `%` has no value"),
        ("/${UNSET}/key", "the variable `UNSET` has no value"),
        ("~nobody-of-this-name/key", "there is no user `nobody-of-this-name`"),
    ],
)
def test_a_path_with_an_unset_variable_is_an_error(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        TOKENS.path(text)


def test_a_command_keeps_its_shell_variables() -> None:
    assert TOKENS.expand("nc ${X} %h %%") == "nc ${X} box.lan %"
    with pytest.raises(ValueError, match="the token `%z`"):
        TOKENS.expand("nc %z")


def test_additional_tokens_are_expanded() -> None:
    assert TOKENS.expand_all("%H-${X}-%n", {"H": "name"}) == "name-%h-box"


def test_only_the_variables_that_were_read_are_recorded() -> None:
    noted = NotedVariables({"ONE": "1", "TWO": "2"})
    assert (len(noted), list(noted)) == (2, ["ONE", "TWO"])
    assert not noted.names
    assert (noted["ONE"], noted.get("THREE")) == ("1", None)
    assert noted.names == {"ONE", "THREE"}
