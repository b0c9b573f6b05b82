"""Tests for `rdoctl service`, with a systemctl that records its calls, and for what systemd does then."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import require
from tests.e2e.masters import served_by_systemd
from tests.e2e.project import Project, local_project
from tests.leaks import wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it would ask launchd")

TIMEOUT = 30.0
"""Seconds, against hangs."""

SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>"$SYSTEMCTL_CALLS"
case "$SYSTEMCTL_FAULT" in ?*) echo "$SYSTEMCTL_FAULT" >&2; exit 1 ;; esac
case $2 in is-active) echo active ;; esac
"""


@pytest.fixture
def project(tmp_path: Path, runtime: dict[str, str]) -> Project:
    project = local_project(tmp_path, runtime)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "systemctl").write_text(SYSTEMCTL)
    (programs / "systemctl").chmod(0o755)
    first, _, rest = project.environment["PATH"].partition(":")
    more = {"PATH": f"{first}:{programs}:{rest}", "SYSTEMCTL_CALLS": str(tmp_path / "calls"), "SYSTEMCTL_FAULT": ""}
    return replace(project, environment={**project.environment, **more})


def calls(project: Project) -> list[str]:
    path = Path(project.environment["SYSTEMCTL_CALLS"])
    found = path.read_text().splitlines()
    path.unlink()
    return found


def unit_files(project: Project) -> list[str]:
    directory = Path(project.environment["XDG_CONFIG_HOME"], "systemd", "user")
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []


def test_a_service_is_installed_shown_and_removed(project: Project) -> None:
    socket = f"{project.environment['XDG_RUNTIME_DIR']}/rdo/control"
    assert project.shell("rdoctl service status").stdout == b"not installed\n"
    done = project.shell("rdoctl service install")
    assert done.stderr == b""
    assert done.stdout.decode() == f"listening at {socket}; commands start the control master through it\n"
    assert unit_files(project) == ["rdo.service", "rdo.socket"]
    assert calls(project) == ["--user daemon-reload", "--user enable --now rdo.socket"]
    assert project.shell("rdoctl service status").stdout.decode().endswith("rdo.socket; the socket is active\n")
    calls(project)
    assert project.shell("rdoctl service uninstall").stdout == b"uninstalled\n"
    assert calls(project) == ["--user disable --now rdo.socket", "--user daemon-reload"]
    assert unit_files(project) == []
    assert project.shell("rdoctl service uninstall").stdout == b"not installed\n"


@contextlib.contextmanager
def listening(project: Project) -> Iterator[Path]:
    """Act as systemd does with the installed units: listen, and start the service for the first connection."""
    program = shutil.which("systemd-socket-activate")
    if program is None:
        require("systemd", "it is not installed")
    path = Path(project.environment["XDG_RUNTIME_DIR"], "rdo", "control")
    service = Path(project.environment["XDG_CONFIG_HOME"], "systemd", "user", "rdo.service").read_text()
    line = re.search("^ExecStart=(.*)$", service, re.MULTILINE)
    assert line
    words = [word.replace("%t", str(path.parents[1])) for word in shlex.split(line[1])]
    with subprocess.Popen(
        [program, "--listen", str(path), *words], stderr=subprocess.DEVNULL, env=dict(project.environment)
    ) as process:
        try:
            wait_until(path.exists, TIMEOUT)
            yield path
            process.wait(TIMEOUT)
        finally:
            process.kill()


def test_the_first_command_is_served_by_the_control_master_that_systemd_starts(project: Project) -> None:
    project.shell("rdoctl service install")
    with listening(project) as path:
        here = path.stat().st_ino
        assert project.run("echo", "first").stdout == b"first\n"
        assert project.run("echo", "second").stdout == b"second\n"
        assert path.stat().st_ino == here
        [master] = json.loads(project.shell("rdoctl status --json").stdout)
        parent = int(Path(f"/proc/{master['pid']}/stat").read_text().rpartition(")")[2].split()[1])
        assert parent == os.getpid()  # instead of systemd, and not init
        assert project.shell("rdoctl stop --all").returncode == 0
    assert path.stat().st_ino == here  # systemd's, for the next master
    assert project.run("echo", "third").stdout == b"third\n"


def test_the_control_master_is_identified_by_its_own_process_instead_of_systemds(project: Project) -> None:
    with served_by_systemd(project) as pid:
        assert project.run("true").returncode == 0
        assert [master["pid"] for master in json.loads(project.shell("rdoctl status --json").stdout)] == [pid]
        assert project.shell("rdoctl stop --all").stdout == b"closed `local`\nstopped the control master\n"


@pytest.mark.parametrize("verb", ["install", "uninstall"])
def test_a_running_control_master_ends_after_its_commands_and_later_ones_use_another(
    project: Project, verb: str
) -> None:
    if verb == "uninstall":
        project.shell("rdoctl service install")
    with project.start("sh", "-c", "echo up; read line; echo $line") as command:
        command.expect_up()
        [before] = json.loads(project.shell("rdoctl status --json").stdout)
        assert project.shell(f"rdoctl service {verb}").returncode == 0
        assert project.run("echo", "another").stdout == b"another\n"
        after = {master["pid"]: master["ending"] for master in json.loads(project.shell("rdoctl status --json").stdout)}
        assert after.pop(before["pid"]) is True
        assert list(after.values()) == [False]
        assert command.communicate(b"went on\n") == (b"went on\n", b"")


def test_if_systemd_does_not_run_for_the_user_nothing_is_left(project: Project) -> None:
    done = project.shell("SYSTEMCTL_FAULT='No medium found' rdoctl service install")
    assert done.returncode == 255
    assert done.stderr.decode() == (
        "rdoctl: `systemctl --user daemon-reload` failed: No medium found; "
        "a service is not needed: commands start the control master themselves\n"
    )
    assert unit_files(project) == []


def test_a_service_is_refused_if_commands_would_not_use_its_socket(project: Project) -> None:
    done = project.shell("unset XDG_RUNTIME_DIR; rdoctl service install")
    assert done.returncode == 255
    what = b"rdoctl: cannot install a service without XDG_RUNTIME_DIR: commands would use `/tmp/"
    assert done.stderr.startswith(what)


def test_without_a_service_manager_the_error_says_that_none_is_needed(project: Project) -> None:
    path = project.environment["PATH"].partition(":")[0]
    done = project.shell(f"PATH={path}; rdoctl service status")
    assert done.stderr.decode() == (
        "rdoctl: cannot manage a service: there is neither systemd nor launchd; "
        "a service is not needed: commands start the control master themselves\n"
    )
