"""Tests for changes of the user's ssh configuration while a connection is held."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.masters import logins, masters, report
from tests.e2e.project import TIMEOUT, Project
from tests.leaks import wait_until
from tests.sshd import Sshd


@pytest.fixture
def before(project: Project, sshd: Sshd) -> int:
    """The number of logins so far, before that of this first command."""
    count = logins(sshd)
    assert project.run("true").returncode == 0
    return count


@pytest.mark.parametrize("included", [False, True], ids=["in the file", "in a file that it includes"])
def test_a_host_that_moved_is_found_at_its_new_address(
    project: Project, sshd: Sshd, own_sshd: Callable[..., Sshd], before: int, *, included: bool
) -> None:
    """Like `ssh`, which uses its ControlMaster only for the same host, port and user."""
    moved = own_sshd().start()
    config = Path(project.environment["RDO_SSH_CONFIG"])
    was = config.read_text()
    more = project.local.parent / "more"
    try:
        if included:
            config.write_text(f"Include {more}/*\n{was}")
            more.mkdir()
        running = project.start("sh", "-c", "echo up; read line; echo $line")
        running.expect_up()
        changed = more / "devbox" if included else config
        changed.write_text(moved.ssh_config().read_text())
        result = project.run("echo", "x")
        assert (result.stdout, result.stderr) == (b"x\n", b"")
        assert running.communicate(b"still there\n", TIMEOUT) == (b"still there\n", b"")
        assert (logins(moved), logins(sshd) - before) == (1, 1)
        assert wait_until(lambda: len(report(project)["targets"]) == 1, 10)
    finally:
        config.write_text(was)


def test_a_change_of_the_ssh_configuration_for_another_host_costs_no_login(
    project: Project, sshd: Sshd, before: int
) -> None:
    (master,) = masters(project)
    config = Path(project.environment["RDO_SSH_CONFIG"])
    was = config.read_text()
    try:
        config.write_text(f"{was}\nHost elsewhere\n  Port 1\n")
        assert project.run("true").returncode == 0
        config.write_text(f"{was}\nHost *\n  SetEnv SAID=x\n")
        assert project.run("true").returncode == 0
        assert (logins(sshd) - before, masters(project)) == (1, [master])
    finally:
        config.write_text(was)
