"""Tests for how different login shells run the bootstrap, including noisy start-up files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rdo.remote_sh.bootstrap import bootstrap
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script
from tests.unit.remote_sh.shells import (
    NONCE,
    Ended,
    as_bin_sh,
    each_shell,
    execute,
    run_script,
    skip_unless,
)

STARTUP = {
    "bash": (".bash_profile", "export FROM_STARTUP=yes"),
    "dash": (".profile", "export FROM_STARTUP=yes"),
    "fish": (".config/fish/config.fish", "set -gx FROM_STARTUP yes"),
    "ksh": (".profile", "export FROM_STARTUP=yes"),
    "tcsh": (".tcshrc", "setenv FROM_STARTUP yes"),
    "zsh": (".zprofile", "export FROM_STARTUP=yes"),
}
"""The file that a login shell reads first, and a line that sets a variable."""

EVERY_START = {"bash": ".bashrc", "fish": STARTUP["fish"][0], "tcsh": ".tcshrc", "zsh": ".zshenv"}
"""The file that is read for `SHELL -c` too. (bash reads it if sshd is its parent; here BASH_ENV has that effect.)"""

NOISE = "echo 0123; echo welcome; sh -c 'echo noise >&2'; printf 'no newline'\n"

each_login_shell = pytest.mark.parametrize(
    "login_shell", [pytest.param(name, marks=skip_unless(name)) for name in STARTUP]
)


def start_file(home: Path, name: str, text: str) -> None:
    file = home / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def path_of(program: str) -> str:
    found = shutil.which(program)
    assert found is not None
    return found


@each_login_shell
def test_a_login_shell_runs_the_bootstrap(tmp_path: Path, login_shell: str) -> None:
    line = render(Script(["printf", "%s", "a'\n$b"]), nonce=NONCE, pty=False)
    argv = [path_of(login_shell), "-c", bootstrap(NONCE, pty=False, login=False)]
    assert execute(argv, line, environ={"HOME": str(tmp_path)}) == Ended(b"a'\n$b", b"", 0)


@pytest.mark.parametrize("login_shell", [pytest.param(name, marks=skip_unless(name)) for name in EVERY_START])
def test_the_output_of_a_login_shell_precedes_the_marker(tmp_path: Path, login_shell: str) -> None:
    start_file(tmp_path, EVERY_START[login_shell], NOISE)
    environ = {"HOME": str(tmp_path), "BASH_ENV": str(tmp_path / ".bashrc")}
    argv = [path_of(login_shell), "-c", bootstrap(NONCE, pty=False, login=False)]
    line = render(Script(["cat"]), nonce=NONCE, pty=False)
    ended = execute(argv, line + b"input", environ=environ)
    assert ended == Ended(b"input", b"", 0)


SHOW = Script(["sh", "-c", 'printf %s "$FROM_STARTUP|${RDO_BOOT-not set}"; cat; exit 7'])


@each_login_shell
@each_shell
def test_with_login_the_start_up_files_are_read(tmp_path: Path, shell: str, login_shell: str) -> None:
    name, line = STARTUP[login_shell]
    start_file(tmp_path, name, line + "\n" + NOISE)
    text = as_bin_sh(shell, bootstrap(NONCE, pty=False, login=True))
    environ = {"HOME": str(tmp_path), "SHELL": path_of(login_shell)}
    given = render(SHOW, nonce=NONCE, pty=False) + b" and input"
    assert execute(["/bin/sh", "-c", text], given, environ=environ) == Ended(b"yes|not set and input", b"", 7)


@each_login_shell
def test_with_login_a_login_shell_runs_the_bootstrap_too(tmp_path: Path, login_shell: str) -> None:
    name, line = STARTUP[login_shell]
    start_file(tmp_path, name, line + "\n")
    environ = {"HOME": str(tmp_path), "SHELL": path_of(login_shell)}
    argv = [path_of(login_shell), "-c", bootstrap(NONCE, pty=False, login=True)]
    assert execute(argv, render(SHOW, nonce=NONCE, pty=False), environ=environ) == Ended(b"yes|not set", b"", 7)


def test_with_login_and_no_shell_known_it_is_bin_sh(tmp_path: Path) -> None:
    start_file(tmp_path, ".profile", STARTUP["dash"][1])
    argv = ["/bin/sh", "-c", bootstrap(NONCE, pty=False, login=True)]
    environ = {"HOME": str(tmp_path), "SHELL": ""}
    assert execute(argv, render(SHOW, nonce=NONCE, pty=False), environ=environ) == Ended(b"yes|not set", b"", 7)


@each_shell
def test_a_plain_bootstrap_reads_no_start_up_file(tmp_path: Path, shell: str) -> None:
    start_file(tmp_path, ".profile", STARTUP["dash"][1])
    ended = run_script(shell, SHOW, environ={"HOME": str(tmp_path), "ENV": str(tmp_path / ".profile")})
    assert ended == Ended(b"|not set", b"", 7)
