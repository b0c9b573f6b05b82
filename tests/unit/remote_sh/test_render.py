"""Tests for the text of bootstrap and script. Their effect is tested with real shells in the other modules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rdo.remote_sh.bootstrap import bootstrap, is_plain, prove, takes
from rdo.remote_sh.markers import mark
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Copied, Script
from rdo.remote_sh.template import quote

NONCE = "0123456789abcdef"

each_bootstrap = pytest.mark.parametrize("pty", [False, True], ids=["pipes", "pty"])
each_login = pytest.mark.parametrize("login", [False, True], ids=["plain", "login"])


@each_bootstrap
@each_login
def test_the_bootstrap_is_a_word_that_is_quoted_for_every_shell(pty: bool, login: bool) -> None:
    text = bootstrap(NONCE, pty=pty, login=login)
    assert text.startswith("exec /bin/sh -c '")
    assert text.endswith("'")
    inside = text.removeprefix("exec /bin/sh -c '").removesuffix("'")
    assert set(inside).isdisjoint("'\n!")
    assert re.findall(r"\\[^\"$]", inside) == []  # before another one, fish may read a backslash as itself


@each_bootstrap
def test_without_a_login_shell_the_bootstrap_has_no_backslash(pty: bool) -> None:
    assert "\\" not in bootstrap(NONCE, pty=pty, login=False)


def test_the_bootstrap_is_the_one_in_the_protocol() -> None:
    ready, read = f'echo "{NONCE} $$ ${{SHELL-}}"; ', 'IFS= LC_ALL=C read -r rdo_s && eval "$rdo_s"'
    assert bootstrap(NONCE, pty=False, login=False) == f"exec /bin/sh -c '{ready}echo {NONCE} >&2; {read}'"
    assert bootstrap(NONCE, pty=False, login=False, plain=True) == read


@each_bootstrap
def test_a_requested_login_shell_is_started_even_by_a_plain_one(pty: bool) -> None:
    assert bootstrap(NONCE, pty=pty, login=True, plain=True) == bootstrap(NONCE, pty=pty, login=True)


@pytest.mark.parametrize("path", ["/bin/sh", "/usr/bin/dash", "/bin/ash"])
def test_a_shell_that_reads_no_start_up_file_for_a_command_is_plain(path: str) -> None:
    assert is_plain(path)


@pytest.mark.parametrize("path", ["", "/bin/bash", "/usr/bin/fish", "/bin/csh", "/bin/zsh", "/opt/sh/fish", "/bin/sh "])
def test_any_other_shell_is_not(path: str) -> None:
    assert not is_plain(path)


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        pytest.param("", "''", id="empty"),
        pytest.param("a/B-9_.,:@%+=", "a/B-9_.,:@%+=", id="plain"),
        pytest.param("a b", "'a b'", id="a space"),
        pytest.param("~", "'~'", id="a tilde"),
        pytest.param("it's", "'it'\\''s'", id="a quote"),
        pytest.param("a\nb", "'a'\"$rdo_n\"'b'", id="a newline"),
        pytest.param("ä", "'ä'", id="a letter that is not ASCII"),
        pytest.param("$rdo_n", "'$rdo_n'", id="the name of the newline"),
    ],
)
def test_a_word_is_quoted_where_it_must_be(word: str, quoted: str) -> None:
    assert quote(word) == quoted


LEVEL = "export SHLVL=2; "
NEWLINE = "rdo_n=$(printf '\\nx'); rdo_n=${rdo_n%x}; "


CD_FAILED = ' 2>/dev/null || { echo "$rdo_k;astray$rdo_b"; exit 255; }'


@pytest.mark.parametrize(
    ("script", "line"),
    [
        pytest.param(Script(["make"]), 'set -- make; exec "$@"', id="a command"),
        pytest.param(Script(["a", "b c"]), "set -- a 'b c'; exec \"$@\"", id="arguments"),
        pytest.param(Script(["-x"]), 'set -- -x; exec env -- "$@"', id="a command that looks like an option"),
        pytest.param(
            Script(["a"], directory="/b c"),
            "set -- a; cd '/b c'" + CD_FAILED + '; exec "$@"',
            id="a directory",
        ),
        pytest.param(
            Script(["a"], directory="-b"),
            "set -- a; cd ./-b" + CD_FAILED + '; exec "$@"',
            id="a directory in the login directory",
        ),
        pytest.param(
            Script(["a"], environment={"A": "1", "B": ""}),
            "export A=1; export B=''; set -- a; exec \"$@\"",
            id="variables",
        ),
        pytest.param(
            Script(["a"], path=["/b", "c d"]), 'export PATH=/b:\'c d\':"$PATH"; set -- a; exec "$@"', id="path"
        ),
        pytest.param(
            Script(["a"], directory="/b", copied=Copied("/b c/.rdo-sync/1", "2")),
            "rdo_c=; { read -r rdo_c <'/b c/.rdo-sync/1'/serial; } 2>/dev/null; "
            '[ "$rdo_c" = 2 ] || { echo "$rdo_k;lost$rdo_b"; '
            f"until [ -e '/b c/.rdo-sync/1'/go-{NONCE} ]; do sleep 0.1 2>/dev/null || sleep 1; done; "
            f"rm -f '/b c/.rdo-sync/1'/go-{NONCE}; }}; " + LEVEL + "set -- a; cd /b" + CD_FAILED + '; exec "$@"',
            id="files that were copied",
        ),
        pytest.param(Script(["a"], has_input=False), 'set -- a; exec "$@" </dev/null', id="no input"),
        pytest.param(Script(["a"], sudo="0"), 'set -- a; exec sudo -- "$@"', id="sudo"),
        pytest.param(Script(["-a"], sudo="0"), 'set -- -a; exec sudo -- "$@"', id="sudo and what looks like an option"),
        pytest.param(Script(["a"], sudo="root"), 'set -- a; exec sudo -- "$@"', id="sudo for root by name"),
        pytest.param(Script(["a"], sudo="me"), 'set -- a; exec sudo -u me -- "$@"', id="sudo for a user"),
        pytest.param(
            Script(["a"], sudo="7:x y"), "set -- a; exec sudo -u '#7' -g 'x y' -- \"$@\"", id="sudo for a number"
        ),
        pytest.param(
            Script(["a"], environment={"A": "secret", "B": "2"}, sudo="0"),
            'export A=secret; export B=2; set -- a; exec sudo --preserve-env=A,B -- "$@"',
            id="sudo and variables",
        ),
        pytest.param(
            Script(["a"], path=["/b"], sudo="0"),
            'export PATH=/b:"$PATH"; set -- a; exec sudo -- env "PATH=$PATH" "$@"',
            id="sudo and path",
        ),
        pytest.param(
            Script(["a"], directory="/b", lost="no", sudo="0"),
            'set -- a; cd /b 2>/dev/null || set -- /bin/sh -c \'cd "$0" 2>/dev/null || '
            '{ printf \'\\\'\'%s\\n\'\\\'\' "$1" >&2; exit 255; }; shift; exec "$@"\' /b no "$@"; exec sudo -- "$@"',
            id="sudo and a directory",
        ),
    ],
)
def test_a_script_is_one_line(script: Script, line: str) -> None:
    level = "" if script.copied else LEVEL
    assert render(script, nonce=NONCE, pty=False) == f"{level}{line}\n".encode()


@pytest.mark.parametrize(
    ("script", "line"),
    [
        pytest.param(Script([]), 'set -- "${SHELL:-/bin/sh}" -l; exec "$@"', id="no command"),
        pytest.param(
            Script([], sudo="0"), 'set -- "${SHELL:-/bin/sh}" -l; exec sudo -- "$@"', id="sudo and no command"
        ),
        pytest.param(Script([], text="a; b"), "a; b", id="text that needs no other shell"),
        pytest.param(Script(["a\n"]), NEWLINE + LEVEL + "set -- 'a'\"$rdo_n\"''; exec \"$@\"", id="a newline"),
    ],
)
def test_a_script_without_a_command_sets_no_level_and_a_newline_has_a_name(script: Script, line: str) -> None:
    assert render(script, nonce=NONCE, pty=False) == line.encode() + b"\n"


def test_on_a_pty_the_modes_are_restored_before_anything_else() -> None:
    script = render(Script([], directory="/a"), nonce=NONCE, pty=True)
    assert script.startswith(b'stty "$rdo_m" 2>/dev/null || { printf ')
    assert b'; echo "$rdo_k;ready$rdo_b"; set -- "${SHELL:-/bin/sh}" -l; cd /a ' in script


@pytest.mark.parametrize("command", [["a"], []])
def test_on_a_pty_stdin_is_the_terminal_even_without_input(command: list[str]) -> None:
    assert b"</dev/null" not in render(Script(command, has_input=False), nonce=NONCE, pty=True)


def test_bytes_that_are_not_utf_8_are_sent_as_they_were() -> None:
    assert render(Script(["a", "\udcff"]), nonce=NONCE, pty=False) == LEVEL.encode() + b"set -- a '\xff'; exec \"$@\"\n"


WORDS = st.binary().map(lambda data: data.replace(b"\0", b"").decode("utf-8", "surrogateescape"))


@given(st.lists(WORDS), WORDS, WORDS, st.lists(WORDS), st.sampled_from(["", "0", "me:1"]), st.booleans())
def test_any_script_is_one_line(
    command: list[str], directory: str, value: str, path: list[str], sudo: str, pty: bool
) -> None:
    script = Script(command, directory, f"no {directory}", {"A": value}, path, sudo)
    line = render(script, nonce=NONCE, pty=pty)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_the_proof_of_a_shell_is_one_line() -> None:
    line = prove(NONCE)
    assert line.startswith(b"rdo_k='\033]rdo;0123456789abcdef' rdo_b='\a'; echo ")
    assert line.count(b"\n") == 1


@pytest.mark.parametrize(
    ("shell", "line", "right"),
    [
        pytest.param("", b"\xff", True, id="any shell, any bytes"),
        pytest.param("yash:", b"a", True, id="yash and ASCII"),
        pytest.param("yash:C", "ä".encode(), False, id="yash without a locale"),
        pytest.param("yash:de_DE.UTF-8", "ä".encode(), True, id="yash and letters"),
        pytest.param("yash:C.utf8", b"\xff", False, id="yash and what is no letter"),
    ],
)
def test_each_shell_gets_only_what_it_can_read(shell: str, line: bytes, right: bool) -> None:
    assert takes(shell, line) is right


def test_a_mark_is_an_operating_system_command() -> None:
    assert mark(NONCE, "group;1") == b"\x1b]rdo;0123456789abcdef;group;1\x07"
