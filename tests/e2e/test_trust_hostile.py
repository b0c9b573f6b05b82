"""Tests for a `.rdo.conf` in a fresh clone before anybody has allowed it: nothing is run, and nothing is connected."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.project import Project, Result, make_project
from tests.e2e.terminal import Terminal

RECORDED = ("ssh", "vagrant", "docker", "true")


@pytest.fixture
def clone(tmp_path: Path, runtime: dict[str, str]) -> Project:
    """Another person's project. Each program that it could have run leaves a trace in `calls`."""
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    for name in RECORDED:
        (bin_directory / name).write_text(f'#!/bin/sh\necho "{name} $*" >>"{tmp_path}/calls"\nexit 1\n')
        (bin_directory / name).chmod(0o755)
    first, _, rest = runtime["PATH"].partition(os.pathsep)
    path = os.pathsep.join((first, str(bin_directory), rest))
    environment = {name: value for name, value in runtime.items() if name != "RDO_TRUST"}
    return make_project(tmp_path, {**environment, "PATH": path})


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A TCP server that would notice a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


@pytest.fixture
def engine(clone: Project) -> Iterator[socket.socket]:
    """A Docker engine that would notice a connection."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(clone.environment["HOME"] + "/engine")
        server.listen()
        server.setblocking(False)
        yield server


def was_met(server: socket.socket) -> bool:
    """Whether somebody connected."""
    try:
        server.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def refused(clone: Project, **env: str) -> Result:
    """Run a command without a terminal, and check that it was refused in one line with the command that allows it."""
    result = clone.run("true", env=env, start_new_session=True)
    assert (result.returncode, result.stdout) == (255, b"")
    where = f"profile `default` of `{clone.local}/.rdo.conf`"
    assert result.stderr.decode() == f"rdo: {where} is not allowed yet; type `rdoctl allow`\n"
    assert not (clone.local.parent / "calls").exists()
    return result


def test_a_host_is_neither_looked_up_nor_connected_to(clone: Project, port: socket.socket) -> None:
    clone.configure(f'host = "127.0.0.1"\nport = {port.getsockname()[1]}\ndirectory = "/tmp"\n')
    refused(clone)
    assert not was_met(port)
    clone.run("true", env={"RDO_TRUST": "1"}, start_new_session=True)
    assert (clone.local.parent / "calls").read_text().startswith("ssh -G ")  # so that there is a single trace


@pytest.mark.parametrize("config", ['driver = "vagrant"\n', "auto_up = true\n", ""])
def test_a_vagrantfile_is_not_run(clone: Project, config: str) -> None:
    clone.configure(config)
    (clone.local / "Vagrantfile").write_text("system 'touch evil'\n")
    machine = clone.local / ".vagrant" / "machines" / "default" / "virtualbox"
    machine.mkdir(parents=True)
    (machine / "id").write_text("id-1")
    refused(clone)


@pytest.mark.parametrize("config", ['container = "web"', 'service = "web"', 'image = "evil"\ndirectory = "/x"'])
def test_the_docker_engine_is_not_asked(clone: Project, engine: socket.socket, config: str) -> None:
    clone.configure(config + "\n")
    host = f"unix://{clone.environment['HOME']}/engine"
    refused(clone, DOCKER_HOST=host)
    assert not was_met(engine)


@pytest.mark.parametrize("key", ["host", "user", "jump"])
@pytest.mark.parametrize("value", ["-oProxyCommand=touch evil", "a;touch evil", "`touch evil`", "$(id)", "a\nb"])
def test_a_name_that_is_special_to_programs_or_shells_is_refused_even_if_everything_is_allowed(
    clone: Project, key: str, value: str
) -> None:
    host = 'host = "h"\n' if key == "user" else ""
    clone.configure(f'{host}{key} = {json.dumps(value)}\ndirectory = "/"\n')
    result = clone.run("true", env={"RDO_TRUST": "1"}, start_new_session=True)
    assert (result.returncode, result.stdout, result.stderr.count(b"\n")) == (255, b"", 1)
    assert f"`{key}`" in result.stderr.decode()
    assert not (clone.local.parent / "calls").exists()
    assert not list(clone.local.parent.rglob("evil"))


def test_no_file_of_a_repository_names_the_engine(clone: Project, engine: socket.socket) -> None:
    clone.configure(f'container = "web"\ndocker_host = "unix://{clone.environment["HOME"]}/engine"\n')
    result = clone.run("true", env={"RDO_TRUST": "1"}, start_new_session=True)
    assert result.returncode == 255
    assert b"docker_host" in result.stderr
    assert not was_met(engine)


def test_this_machine_as_the_target_needs_permission_too(clone: Project) -> None:
    clone.configure('driver = "local"\ndirectory = "/tmp"\n')
    refused(clone)


def test_a_local_config_file_that_came_with_the_clone_needs_permission_too(clone: Project, port: socket.socket) -> None:
    config = Path(clone.environment["XDG_CONFIG_HOME"], "rdo")
    config.mkdir()
    (config / "config.toml").write_text('host = "mine.invalid"\ndirectory = "/tmp"\n')
    clone.configure("")
    (clone.local / ".rdo.local.conf").write_text(f'host = "127.0.0.1"\nport = {port.getsockname()[1]}\n')
    refused(clone)
    assert not was_met(port)


@pytest.mark.parametrize("command", ["explain true", "doctor"])
def test_explain_and_doctor_connect_to_nothing_and_report_that(
    clone: Project, port: socket.socket, command: str
) -> None:
    clone.configure(f'host = "127.0.0.1"\nport = {port.getsockname()[1]}\ndirectory = "/tmp"\n')
    result = clone.shell(f"rdoctl {command}", start_new_session=True)
    assert b"not allowed yet" in result.stdout
    assert b"`rdoctl allow`" in result.stdout + result.stderr
    assert result.returncode == (1 if command == "doctor" else 255)
    assert not was_met(port)
    assert not (clone.local.parent / "calls").exists()


def test_doctor_on_a_terminal_does_not_wait_for_an_answer(clone: Project) -> None:
    clone.configure('driver = "local"\ndirectory = "/tmp"\n')
    with Terminal(["rdoctl", "doctor"], clone.local, clone.environment) as terminal:
        terminal.expect("everything else: needs `trust`")


def test_init_allows_no_existing_files(clone: Project) -> None:
    (clone.local / ".rdo.local.conf").write_text('directory = "/tmp"\n')
    result = clone.shell(f'rdoctl init --driver local --directory "{clone.remote}"')
    assert "\n  rdoctl allow\n" in result.stdout.decode()
    refused(clone)
