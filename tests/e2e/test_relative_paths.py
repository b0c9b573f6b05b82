"""Tests for relative paths: each is resolved where its author meant it, not in the directory of a background
process.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.e2e.masters import stop
from tests.e2e.project import Project, make_project, ssh_config_text, ssh_project
from tests.ssh_server import client_config
from tests.sshd import Sshd


@pytest.fixture
def keyless(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> Project:
    """A project whose ssh configuration names no key, and that has the key for the server in `keys/id`."""
    project = make_project(tmp_path, runtime)
    settings = ("IdentitiesOnly yes", "IdentityAgent none", f"UserKnownHostsFile {sshd.known_hosts}")
    config = client_config(tmp_path / "ssh_config", sshd.port, *settings)
    (project.local / "keys").mkdir()
    shutil.copy(sshd.client_key, project.local / "keys" / "id")
    return Project(project.local, project.remote, {**runtime, "RDO_SSH_CONFIG": str(config)})


@pytest.mark.parametrize("key", ["keys/id", "./keys/../keys/id"])
@pytest.mark.parametrize("cwd", [".", "src", "/"])
def test_an_identity_is_relative_to_the_config_that_names_it(keyless: Project, key: str, cwd: str) -> None:
    keyless.configure(ssh_config_text(keyless, f'identity = "{key}"\n'))
    found = keyless.run("--project", str(keyless.local), "--dir", "/", "echo", "in", cwd=cwd)
    assert (found.stdout, found.stderr) == (b"in\n", b"")


def test_the_same_holds_for_the_local_and_for_the_user_s_file(keyless: Project) -> None:
    keyless.configure(ssh_config_text(keyless))
    local, user = keyless.local / ".rdo.local.conf", Path(keyless.environment["XDG_CONFIG_HOME"], "rdo/config.toml")
    user.parent.mkdir()
    shutil.copytree(keyless.local / "keys", user.parent / "keys")
    for file in (local, user):
        file.write_text('identity = "keys/id"\n')
        assert keyless.run("echo", "in", cwd="src").stdout == b"in\n"
        file.unlink()
        stop(keyless)


def test_a_relative_ssh_configuration_is_relative_to_the_callers_directory(
    tmp_path: Path, runtime: dict[str, str], sshd: Sshd
) -> None:
    project = ssh_project(tmp_path, runtime, sshd)
    full = project.environment["RDO_SSH_CONFIG"]
    shutil.copy(full, project.local / "own_config")
    for cwd, options in ((".", ()), ("src", ()), (".", ("-C", "src")), ("/", ("-C", str(project.local)))):
        start = project.local / cwd
        relative = os.path.relpath(project.local / "own_config", start)
        found = project.run(*options, "echo", "in", cwd=cwd, env={"RDO_SSH_CONFIG": relative})
        assert (found.stdout, found.stderr) == (b"in\n", b"")
    shown = project.shell("cd src && RDO_SSH_CONFIG=../own_config rdoctl status")
    assert (shown.returncode, b"devbox" in shown.stdout) == (0, True)
