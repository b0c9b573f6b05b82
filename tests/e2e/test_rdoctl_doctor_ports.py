"""Tests for `rdoctl doctor`: whether ports of commands, and URLs that they open, can be used here."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.doctor import examine
from tests.e2e.project import Project, ssh_project
from tests.sshd import Sshd


def test_how_ports_of_commands_are_found_is_reported_if_enabled(
    local: Project, tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    (tmp_path / "ssh").mkdir()
    project = ssh_project(tmp_path / "ssh", runtime, sshd, "auto_forward = true\n")
    status, found = examine(project)
    assert (status, found["auto_forward"]) == (0, ("ok", "by /proc/net/tcp"))
    local.configure(f'driver = "local"\ndirectory = "{local.remote}"\nauto_forward = true\n')
    assert examine(local)[1]["auto_forward"][0] == "ok"


def test_a_target_that_cannot_find_ports_of_commands_is_a_warning(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "true", "cat", "sleep", "pwd", "env", "setsid", "readlink", "ps"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    server = own_sshd(f"SetEnv PATH={tmp_path / 'bin'}").start()
    status, found = examine(ssh_project(tmp_path, runtime, server, "auto_forward = true\n"))
    why = "the target has neither `awk` with /proc nor `lsof`; install one of them there"
    assert (status, found["auto_forward"]) == (0, ("warning", why))


def test_a_server_without_a_session_for_finding_ports_is_a_warning(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    server = own_sshd("MaxSessions 1").start()
    _, found = examine(ssh_project(tmp_path, runtime, server, "auto_forward = true\n"))
    why = "the server allows no further session; raise MaxSessions in the target's sshd_config"
    assert found["auto_forward"] == ("warning", why)


def test_a_failing_forward_is_reported_with_advice(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    taken = tmp_path / "taken"
    taken.write_text("")
    project = ssh_project(tmp_path, runtime, sshd, f'forward = ["{taken}:/there.sock"]\n')
    why = f"`{taken}:/there.sock` is not forwarded: something is there already; remove it, or choose another path"
    assert examine(project)[1]["ports"] == ("failed", why)


def with_browser(project: Project, command: str) -> Project:
    return replace(project, environment={**project.environment, "BROWSER": command})


@pytest.mark.parametrize("word", ["ask", "yes"])
def test_the_program_that_opens_urls_is_reported_if_enabled(
    local: Project, tmp_path: Path, runtime: dict[str, str], sshd: Sshd, word: str
) -> None:
    (tmp_path / "ssh").mkdir()
    project = with_browser(
        ssh_project(tmp_path / "ssh", runtime, sshd, f'open_browser = "{word}"\n'), "/missing:cat %s"
    )
    status, found = examine(project)
    assert (status, found["open_browser"]) == (0, ("ok", "URLs are opened by `cat`"))
    local.configure(f'driver = "local"\ndirectory = "{local.remote}"\nopen_browser = "{word}"\n')
    assert examine(local)[1]["open_browser"][0] == "ok"


def test_a_target_without_a_directory_for_programs_that_open_urls_is_a_warning(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("sh", "true", "cat", "sleep", "pwd", "env", "setsid", "readlink", "ps", "mktemp", "rm"):
        (tmp_path / "bin" / name).symlink_to(str(shutil.which(name)))
    server = own_sshd(f"SetEnv PATH={tmp_path / 'bin'}").start()
    project = with_browser(ssh_project(tmp_path, runtime, server, 'open_browser = "yes"\n'), "cat")
    status, found = examine(project)
    why = "commands on the target cannot find the programs that pass URLs to rdo; type `rdo -v true` to see why"
    assert (status, found["open_browser"]) == (0, ("warning", why))
    said = (
        "rdo: URLs that the command opens are not opened here: cannot create the programs that open URLs on the target"
    )
    result = project.run("-v", "sh", "-c", "echo ${BROWSER-none}")
    assert (result.stdout, said.encode() in result.stderr) == (b"none\n", True)
    assert project.run("sh", "-c", "echo ${BROWSER-none}").stderr == b""
