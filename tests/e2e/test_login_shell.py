"""Tests for any login shell, including noisy ones: the command's streams are not affected."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.project import Project, ssh_project
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

NOISE = "seq 20000; echo noise >&2; printf 'no end of line'\n"
"""More than a pipe holds, on both streams."""

START_FILES = {"bash": ".bashrc", "fish": ".config/fish/config.fish", "tcsh": ".cshrc"}
CSH_NOISE = "seq 20000; sh -c 'echo noise >&2'; printf 'no end of line'\n"

OwnSshd = Callable[..., Sshd]


def server_with(own_sshd: OwnSshd, shell: str) -> Sshd:
    """A server whose sessions all run `SHELL -c COMMAND`, as sshd does with a login shell."""
    return own_sshd(f'ForceCommand exec {shell} -c "$SSH_ORIGINAL_COMMAND"')


def check(project: Project) -> None:
    """Check streams and status, cold and warm, with arguments that are special to shells."""
    for _ in range(3):
        result = project.run("sh", "-c", 'cat; printf "%s" "$1" >&2; exit 7', "sh", "$(id) '\"!\n", input=b"in\xff")
        assert (result.returncode, result.stdout, result.stderr) == (7, b"in\xff", b"$(id) '\"!\n")


@pytest.mark.parametrize("shell", START_FILES)
def test_a_noisy_login_shell_of_any_kind_leaves_both_streams_clean(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd, shell: str
) -> None:
    if shutil.which(shell) is None:
        require(shell, "not installed")
    server = server_with(own_sshd, shell if shell != "bash" else "bash -i")
    start_file = server.home / START_FILES[shell]
    start_file.parent.mkdir(parents=True, exist_ok=True)
    start_file.write_text(CSH_NOISE if shell == "tcsh" else NOISE)
    server.start()
    heard = subprocess.run(["ssh", "-F", server.ssh_config(), "devbox", "true"], check=True, capture_output=True)
    assert heard.stdout.endswith(b"no end of line")
    check(ssh_project(tmp_path, runtime, server))


@pytest.mark.parametrize("shell", ["sh", "fish", "tcsh"])
def test_a_login_shell_called_sh_may_be_another_one(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd, shell: str
) -> None:
    if shutil.which(shell) is None:
        require(shell, "not installed")
    server = own_sshd("SetEnv SHELL=/bin/sh", f'ForceCommand exec {shell} -c "$SSH_ORIGINAL_COMMAND"')
    check(ssh_project(tmp_path, runtime, server.start()))


def test_with_login_noisy_start_up_files_leave_both_streams_clean(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd
) -> None:
    server = own_sshd()
    for name in (".bashrc", ".bash_profile", ".profile"):
        (server.home / name).write_text(NOISE)
    check(ssh_project(tmp_path, runtime, server.start(), "login = true\n"))


@pytest.mark.parametrize(("shell", "said"), [
    ("/no/such/shell", "status 127 and said: "),
    ("/bin/false", "status 1;"),
    ("/bin/echo forced;", "status 0 and said: forced"),
    ("/bin/echo This account is currently not available.; exit 1;", "This account is currently not available."),
])  # fmt: skip
def test_a_missing_or_refusing_login_shell_is_reported_in_one_line(
    tmp_path: Path, runtime: dict[str, str], own_sshd: OwnSshd, shell: str, said: str
) -> None:
    project = ssh_project(tmp_path, runtime, server_with(own_sshd, shell).start())
    result = project.run("echo", "x")
    assert (result.returncode, result.stdout) == (255, b"")
    line = result.stderr.decode()
    assert line.startswith("rdo: could not start /bin/sh on the target: it ended with status ")
    assert said in line
    assert line.endswith("; look at the login shell, its start-up files, and whether a command is forced there\n")
    assert line.count("\n") == 1
