"""Tests for bootstrap and script on a real pty, with each shell that may be /bin/sh on a target."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from rdo.remote_sh.bootstrap import NO_STTY, bootstrap
from rdo.remote_sh.markers import mark
from rdo.remote_sh.render import render
from rdo.remote_sh.script import Script
from tests.unit.remote_sh.shells import NONCE, SECRET, SHELLS, TIMEOUT, as_bin_sh, each_shell
from tests.unit.remote_sh.terminal import GROUP, TAKE_TERMINAL, Terminal, terminal
from tests.unit.remote_sh.test_login import STARTUP, each_login_shell, path_of, start_file

pytestmark = pytest.mark.no_cover  # takes no branch of a pure module that its own tests do not

ALL_BYTES = bytes(range(1, 256)).decode("utf-8", "surrogateescape")


@each_shell
@pytest.mark.parametrize("times", [1, 240], ids=["255 bytes", "60 KB"])
def test_a_script_arrives_whole_and_nothing_is_echoed(shell: str, times: int) -> None:
    text = (ALL_BYTES if shell != "yash" else ALL_BYTES[:127]) * times
    script = Script(["sh", "-c", 'printf %s "$1" | sha256sum', "sh", text])
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest().encode()
    with terminal(shell, script) as started:
        assert GROUP.sub(b"", started.end()[0]) == digest + b"  -\r\n"


@each_shell
def test_the_size_and_the_modes_are_those_of_the_terminal(shell: str) -> None:
    with terminal(shell, Script(["sh", "-c", "stty size; stty -g; read x"])) as started:
        started.wait_for(b"40 100\r\n")
        saved = started.wait_for(re.compile(rb"([0-9a-f:]+)\r\n"))[1]
        started.write(b"\n")
        started.end()
    iflag, oflag, cflag, lflag = (int(field, 16) for field in saved.split(b":")[:4])
    assert [iflag, oflag, cflag, lflag] == started.modes[:4]


@each_shell
@pytest.mark.parametrize("strange", [[], [("no-such-mode",), ("intr", "^C", "^D")]], ids=["all known", "some unknown"])
def test_the_modes_of_the_callers_terminal_are_set(shell: str, strange: list[tuple[str, ...]]) -> None:
    modes = [*strange, ("erase", "^H"), ("intr", "'"), ("-ixon",), ("iutf8",)]
    with terminal(shell, Script(["stty", "-a"], modes=modes)) as started:
        shown = started.end()[0].decode()
    assert "erase = ^H;" in shown
    assert "intr = ';" in shown
    assert " -ixon " in shown
    assert " iutf8" in shown
    assert "no-such-mode" not in shown


@each_shell
@pytest.mark.parametrize(
    ("command", "output", "status"),
    [
        pytest.param(["true"], b"", 0, id="success"),
        pytest.param(["sh", "-c", "exit 7"], b"", 7, id="failure"),
        pytest.param(["sh", "-c", "kill -9 $$"], b"", 128 + signal.SIGKILL, id="killed"),
        pytest.param(["sh", "-c", "kill -15 $$"], b"", 128 + signal.SIGTERM, id="terminated"),
        pytest.param(["sh", "-c", "echo error >&2"], b"error\r\n", 0, id="stderr"),
        pytest.param(["sh", "-c", "echo x >&3"], None, 2, id="no further descriptor"),
        pytest.param(["/etc/passwd"], None, 126, id="not executable"),
        pytest.param(["no-such-command"], None, 127, id="missing"),
        pytest.param(["-no-such-command"], None, 127, id="missing, like an option"),
    ],
)
def test_the_status_is_the_commands_own_and_the_shell_prints_nothing(
    shell: str, command: list[str], output: bytes | None, status: int
) -> None:
    with terminal(shell, Script(command)) as started:
        said, ended = started.end()
    said = GROUP.sub(b"", said)
    assert ended == status
    assert said.count(b"\n") in (1, 2) if output is None else said == output  # bash prints it twice


@each_shell
@pytest.mark.parametrize("stty", ["", "exit 1", '[ "$1" = -g ] && echo 1'], ids=["missing", "failing", "not raw"])
def test_a_terminal_that_cannot_be_set_raw_gets_no_script(shell: str, stty: str, tmp_path: Path) -> None:
    for program in (SHELLS[shell].split()[0], "sh"):
        (tmp_path / program).symlink_to(path_of(program))
    if stty:
        (tmp_path / "stty").write_text(f"#!/bin/sh\n{stty}\n")
        (tmp_path / "stty").chmod(0o755)
    text = as_bin_sh(shell, bootstrap(NONCE, pty=True, login=False))
    near, far = os.openpty()
    with os.fdopen(near, "rb", buffering=0) as terminal:
        argv = ["/bin/sh", "-c", TAKE_TERMINAL, text, os.ttyname(far)]
        child = subprocess.Popen(argv, start_new_session=True, env={"PATH": str(tmp_path)})
        assert child.wait(TIMEOUT) == 255
        assert terminal.read(4096) == f"{NONCE} {NO_STTY}\r\n".encode()
        os.close(far)


@each_shell
def test_a_terminal_whose_modes_cannot_be_restored_gets_no_command(shell: str, tmp_path: Path) -> None:
    stty = tmp_path / "stty"
    stty.write_text(f'#!/bin/sh\ncase $1 in -g) echo 1;; raw) exec "{path_of("stty")}" raw -echo;; *) exit 1;; esac\n')
    stty.chmod(0o755)
    text = as_bin_sh(shell, bootstrap(NONCE, pty=True, login=False))
    with Terminal(text, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}) as started:
        started.write(render(Script(["echo", "run"]), nonce=NONCE, pty=True))
        said, status = started.end()
    assert (said.startswith(b"rdo: cannot restore the modes"), said.count(b"\n"), status) == (True, 1, 255)


@each_shell
def test_a_directory_that_cannot_be_entered_is_reported_and_nothing_is_run(shell: str) -> None:
    with terminal(shell, Script(["echo", "run"], directory="/nowhere")) as started:
        assert started.end() == (mark(SECRET, "astray") + b"\r\n", 255)


@each_shell
def test_without_a_command_the_login_shell_has_the_terminal(shell: str) -> None:
    with terminal(shell, Script([]), {"SHELL": "/bin/sh", "HOME": "/nowhere"}) as started:
        started.write(b"echo $((1000 + 1))\n")
        started.wait_for(b"1001\r\n")
        started.write(b"exit 5\n")
        assert started.end()[1] == 5


@each_login_shell
def test_with_login_the_start_up_files_are_read_and_the_terminal_is_ours(tmp_path: Path, login_shell: str) -> None:
    name, line = STARTUP[login_shell]
    start_file(tmp_path, name, f"{line}\necho welcome\n")
    environ = {"HOME": str(tmp_path), "SHELL": path_of(login_shell), "TERM": "xterm"}
    script = Script(["sh", "-c", 'echo "$FROM_STARTUP|${RDO_BOOT-not set}"; read -r x; echo "got $x"'])
    with Terminal(bootstrap(NONCE, pty=True, login=True), environ) as started:
        started.start(script)
        started.wait_for(GROUP)
        started.wait_for(b"yes|not set\r\n")
        started.write(b"a\n")
        assert started.end() == (b"a\r\ngot a\r\n", 0)


@each_shell
@pytest.mark.parametrize("keep", [False, True])
def test_a_command_outlives_its_terminal_if_it_is_to_be_kept(shell: str, keep: bool, tmp_path: Path) -> None:
    end = tmp_path / "end"
    script = Script(["sh", "-c", f"echo up; while [ -t 0 ]; do sleep 0.01; done; sleep 0.5; >'{end}'"], keep=keep)
    with terminal(shell, script) as started:
        started.wait_for(b"up\r\n")
    time.sleep(0 if keep else 1)  # only waiting shows that there is no output
    assert end.exists() is keep
