"""Tests for bootstrap and script over pipes, with each shell that may be /bin/sh on a target."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from rdo.remote_sh.bootstrap import bootstrap, takes
from rdo.remote_sh.markers import mark
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Copied, Script
from tests.soak import tries
from tests.unit.remote_sh.shells import NONCE, SECRET, Ended, as_bin_sh, each_shell, execute, run_script

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not


def takes_bytes(shell: str, *words: bytes) -> bool:
    """Whether the shell can read these bytes. If not, it never gets them."""
    return takes("yash:C.UTF-8" if shell == "yash" else "", b"".join(words))


def decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


WORDS = st.binary(max_size=60).map(lambda data: data.replace(b"\0", b"")) | st.sampled_from(
    b"|-n|--|$(id)|`id`|*|~|!!|\\|\\n|'|\"|\n|\n\n|'\n'|\xff|{a,b}|$rdo_n|\x01\xc2\x01|\x7f".split(b"|")
)


few = settings(max_examples=tries(20, 1000))
"""Each example starts one or two shells of each kind."""


@few
@each_shell
@given(vector=st.lists(WORDS, min_size=1), value=WORDS)
@example(vector=[b"\x01\xc2\x01"], value=b"\x01\xc2\x01")  # bash loses a byte if it reads this as UTF-8
def test_arguments_and_values_arrive_exactly(shell: str, vector: list[bytes], value: bytes) -> None:
    assume(takes_bytes(shell, *vector, value))
    script = Script(["printf", r"%s\0", *map(decoded, vector)], environment={"A": decoded(value)})
    assert run_script(shell, script) == Ended(b"".join(word + b"\0" for word in vector), b"", 0)
    script = Script(["sh", "-c", r'printf %s "$A"'], environment={"A": decoded(value)})
    assert run_script(shell, script) == Ended(value, b"", 0)


NAMES = WORDS.map(lambda name: name.replace(b"/", b"")).filter(lambda name: name not in (b"", b".", b".."))


@few
@each_shell
@given(name=NAMES, absolute=st.booleans())
def test_a_directory_may_have_any_name(shell: str, name: bytes, absolute: bool) -> None:
    assume(takes_bytes(shell, name))
    with tempfile.TemporaryDirectory() as base:
        directory = os.path.join(os.fsencode(base), name)
        os.mkdir(directory)
        script = Script(["sh", "-c", 'printf %s "$PWD"'], directory=decoded(directory if absolute else name))
        text = as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))
        ended = execute(["/bin/sh", "-c", text], render(script, nonce=NONCE, pty=False), cwd=base)
        assert ended == Ended(os.path.realpath(directory), b"", 0)


@each_shell
@pytest.mark.parametrize("given", [b"", b"a", b"exit 3\n" * 1000, bytes(range(256)) * 300], ids=len)
def test_what_follows_the_script_is_the_commands_input(shell: str, given: bytes) -> None:
    assert run_script(shell, Script(["cat"]), given) == Ended(given, b"", 0)


@each_shell
@pytest.mark.parametrize("missing", [1, 4], ids=["its newline", "more"])
def test_a_script_that_was_cut_off_is_not_run(shell: str, missing: int) -> None:
    text = as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))
    line = render(Script(["echo", "run"]), nonce=NONCE, pty=False)
    ended = execute(["/bin/sh", "-c", text], line[:-missing])
    assert (ended.stdout, ended.stderr) == (b"", b"")
    assert ended.status != 0


@each_shell
@pytest.mark.parametrize("directory", ["/nowhere", "nowhere", "-", "/etc/passwd", "a\nb"])
def test_a_directory_that_cannot_be_entered_is_reported_and_nothing_is_run(shell: str, directory: str) -> None:
    script = Script(["echo", "run"], directory=directory)
    assert run_script(shell, script) == Ended(mark(SECRET, "astray") + b"\n", b"", 255)


@each_shell
@pytest.mark.parametrize(
    ("command", "status"),
    [
        pytest.param(["true"], 0, id="success"),
        pytest.param(["sh", "-c", "exit 7"], 7, id="failure"),
        pytest.param(["/etc/passwd"], 126, id="not executable"),
        pytest.param(["/"], 126, id="a directory"),
        pytest.param(["no-such-command"], 127, id="missing"),
        pytest.param(["-no-such-command"], 127, id="missing, like an option"),
        pytest.param(["sh", "-c", "kill -9 $$"], 128 + signal.SIGKILL, id="killed"),
        pytest.param(["sh", "-c", "kill -15 $$"], 128 + signal.SIGTERM, id="terminated"),
    ],
)
def test_the_exit_status_is_the_commands_own(shell: str, command: list[str], status: int) -> None:
    assert run_script(shell, Script(command)).status == status


@each_shell
def test_a_command_may_look_like_an_option(shell: str, tmp_path: Path) -> None:
    program = tmp_path / "-x"
    program.write_text('#!/bin/sh\nprintf %s "$1"\n')
    program.chmod(0o755)
    assert run_script(shell, Script(["-x", "-y"], path=[str(tmp_path)])) == Ended(b"-y", b"", 0)


@each_shell
def test_directories_for_commands_come_before_the_path_that_was_set(shell: str) -> None:
    script = Script(
        ["/usr/bin/env", "sh", "-c", 'printf %s "$PATH"'], environment={"PATH": "/usr/bin:/bin"}, path=["/a b", "~"]
    )
    assert run_script(shell, script) == Ended(b"/a b:~:/usr/bin:/bin", b"", 0)


@each_shell
def test_our_own_variables_are_not_passed_to_the_command(shell: str) -> None:
    ended = run_script(shell, Script(["env", "--", "sh", "-c", "env\n"], environment={"A": "\n"}))
    assert b"rdo_" not in ended.stdout


@each_shell
def test_without_a_command_the_login_shell_reads_stdin(shell: str) -> None:
    login = shutil.which("sh") or "/bin/sh"
    assert run_script(shell, Script([]), b"echo $((1 + 1))\n", environ={"SHELL": login, "HOME": "/"}).stdout == b"2\n"


@each_shell
def test_the_streams_are_apart(shell: str) -> None:
    assert run_script(shell, Script(["sh", "-c", "echo out; echo err >&2"])) == Ended(b"out\n", b"err\n", 0)


@each_shell
@pytest.mark.parametrize("root", ["/srv/the app", "the app"], ids=["absolute", "in the login directory"])
def test_a_command_gets_a_variable_that_names_its_target(shell: str, root: str) -> None:
    script = Script(["sh", "-c", 'printf %s "$RDO_ON_TARGET"'], directory="/", inside=f"{root}:web")
    text = as_bin_sh(shell, bootstrap(NONCE, pty=False, login=False))
    ended = execute(["/bin/sh", "-c", text], render(script, nonce=NONCE, pty=False), cwd="/tmp")
    expected = f"{root}:web" if root.startswith("/") else f"{os.path.realpath('/tmp')}/{root}:web"
    assert ended == Ended(expected.encode(), b"", 0)


@each_shell
@pytest.mark.parametrize("serial", ["0123", "other", None], ids=["known", "another", "none"])
def test_a_command_waits_if_files_are_missing(shell: str, serial: str | None, tmp_path: Path) -> None:
    state = tmp_path / "it's"
    state.mkdir()
    if serial is not None:
        (state / "serial").write_text(f"{serial}\n")
    (state / f"go-{NONCE}").touch()
    ended = run_script(shell, Script(["cat"], copied=Copied(str(state), "0123")), b"input")
    is_there = serial == "0123"
    assert ended == Ended((b"" if is_there else mark(SECRET, "lost") + b"\n") + b"input", b"", 0)
    assert (state / f"go-{NONCE}").exists() is is_there


@each_shell
def test_a_command_continues_when_the_files_are_there(shell: str, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        script = Script(["echo", "run"], copied=Copied(str(tmp_path), "0123"))
        running = pool.submit(run_script, shell, script)
        assert not wait([running], timeout=0.3).done
        (tmp_path / f"go-{NONCE}").touch()
        assert running.result() == Ended(mark(SECRET, "lost") + b"\nrun\n", b"", 0)
