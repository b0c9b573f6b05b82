"""Tests for `rdoctl doctor`: each check on one line, with what to do about it."""

from __future__ import annotations

import shlex
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.doctor import examine
from tests.e2e.masters import report
from tests.e2e.project import TIMEOUT, Project, ssh_project
from tests.leaks import wait_until
from tests.sshd import Sshd


@pytest.fixture
def unused_port() -> int:
    """A port of this machine that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_all_is_well_with_a_local_target(local: Project) -> None:
    status, found = examine(local)
    assert status == 0
    assert found.pop("conclusion")[1] == "everything works: type `rdo` before a command to run it on the target"
    assert list(found) == [
        "client", "runtime directory", "config", "trust", "login", "remote /bin/sh", "remote directory", "lifeline",
    ]  # fmt: skip
    assert {verdict for verdict, _ in found.values()} == {"ok"}
    assert found["remote directory"] == ("ok", str(local.remote))
    assert found["remote /bin/sh"][1].startswith("/")


def test_it_is_not_a_use_of_the_target(local: Project) -> None:
    def at_rest() -> Any:
        """The target, after the master has noticed the end of a command, which is after its client does."""
        (target,) = report(local)["targets"]
        return target if target["idle_left"] is not None else None

    assert local.run("true").returncode == 0
    before = wait_until(at_rest, TIMEOUT)
    assert examine(local)[0] == 0
    after = wait_until(at_rest, TIMEOUT)
    assert after["number"] == before["number"]
    assert after["idle_left"] < before["idle_left"]


def test_the_remote_directory_is_named_by_its_remote_path(local: Project) -> None:
    local.configure((local.local / ".rdo.conf").read_text() + "map_output = true\n")
    assert examine(local)[1]["remote directory"] == ("ok", str(local.remote))


def test_all_is_well_with_an_ssh_server(tmp_path: Path, runtime: dict[str, str], sshd: Sshd) -> None:
    status, found = examine(ssh_project(tmp_path, runtime, sshd))
    assert status == 0
    assert found.pop("conclusion")[1] == "everything works: type `rdo` before a command to run it on the target"
    assert {name: verdict for name, (verdict, _) in found.items() if verdict != "ok"} == {"ssh agent": "skipped"}
    assert "SSH-2.0-OpenSSH" in found["TCP connection"][1]
    assert {"ssh program", "ssh configuration", "key files", "name resolution", "lifeline"} < found.keys()


def test_without_a_config_nothing_else_is_checked(local: Project) -> None:
    (local.local / ".rdo.conf").unlink()
    status, found = examine(local)
    assert status == 1
    assert found["config"][0] == "failed"
    assert found["config"][1].endswith("`rdoctl init` writes one")
    assert found["everything else"] == ("skipped", "needs `config`")


def test_a_config_that_is_not_allowed_is_refused_with_rdos_message(local: Project) -> None:
    where = local.local / ".rdo.conf"
    quoted = shlex.quote(str(where))
    for mode, why in (
        (0o644, f"profile `default` of `{where}` is not allowed yet; type `rdoctl allow`"),
        (0o666, f"{where}: can be written by everyone; `chmod go-w {quoted}`, or `rdoctl allow` to accept it anyway"),
    ):
        where.chmod(mode)
        unsure = replace(local, environment={**local.environment, "RDO_TRUST": ""})
        status, found = examine(unsure)
        assert (status, found["trust"]) == (1, ("failed", why))
        assert unsure.shell("rdo true").stderr.decode() == f"rdo: {why}\n"
        assert found["conclusion"][1] == f"rdo does not work yet; fix `trust` first: {why.partition('; ')[2]}"


def test_an_unknown_profile_is_a_failed_config(local: Project) -> None:
    status, found = examine(local, "-p nonsense")
    assert status == 1
    assert "no profile `nonsense`" in found["config"][1]


def test_a_missing_remote_directory_is_distinguished_from_a_failed_login(local: Project) -> None:
    gone = local.remote / "gone"
    local.configure(f'driver = "local"\ndirectory = "{gone}"\n')
    status, found = examine(local)
    assert status == 1
    assert found["login"][0] == found["lifeline"][0] == "ok"
    assert found["remote directory"][0] == "failed"
    assert f"cannot enter the directory `{gone}` on `local`" in found["remote directory"][1]
    command = f"rdo --dir / mkdir -p {shlex.quote(str(gone))}"
    assert f"fix `remote directory` first: if it is missing, `{command}` creates it" in found["conclusion"][1]


def test_a_port_without_a_listener_fails_and_checks_that_need_the_login_are_skipped(
    local: Project, unused_port: int
) -> None:
    local.configure(f'driver = "ssh"\nhost = "127.0.0.1"\nport = {unused_port}\ndirectory = "/tmp"\n')
    status, found = examine(local)
    assert status == 1
    assert found["name resolution"] == ("ok", "127.0.0.1 is 127.0.0.1")
    assert found["TCP connection"][0] == "failed"
    assert "connection refused" in found["TCP connection"][1]
    assert found["login"] == ("skipped", "needs `TCP connection`")
    assert found["lifeline"] == ("skipped", "needs `login`")
    what = (
        "rdo does not work yet; fix `TCP connection` first: check that it is up, and that `host` and `port` are right"
    )
    assert found["conclusion"][1] == what


def test_an_unknown_host_is_reported_before_anything_connects(local: Project) -> None:
    local.configure('driver = "ssh"\nhost = "nonsense.invalid"\ndirectory = "/tmp"\n')
    _, found = examine(local)
    assert found["name resolution"][0] == "failed"
    assert found["TCP connection"] == ("skipped", "needs `name resolution`")


def test_a_key_that_others_can_read_is_named_with_the_fix(local: Project, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("x")
    key.chmod(0o644)
    local.configure(f'driver = "ssh"\nhost = "nonsense.invalid"\ndirectory = "/tmp"\nidentity = "{key}"\n')
    verdict, text = examine(local)[1]["key files"]
    assert verdict == "failed"
    assert "permissions 0644" in text
    assert text.endswith(f"`chmod 600 {key}`")


def test_a_target_without_a_program_still_has_a_shell_and_a_directory(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    server = own_sshd("SetEnv PATH=/nonexistent").start()
    project = ssh_project(tmp_path, runtime, server)
    _, found = examine(project)
    assert found["login"] == ("ok", "works")
    assert found["remote /bin/sh"] == ("ok", "/bin/sh")
    assert found["remote directory"] == ("ok", str(project.remote))
