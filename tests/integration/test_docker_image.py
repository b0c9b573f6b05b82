"""Tests for containers that rdo creates from an image: owner of files, directories, shared or fresh, and their end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.config.schema import Settings
from rdo.drivers.base import ChannelOptions
from rdo.drivers.docker.answer import EngineAnswer
from rdo.drivers.docker.driver import DockerDriver
from rdo.drivers.docker.image_container import HOME, ContainerFactory, ContainerOptions
from rdo.drivers.docker.leftovers import MASTER, SPACE, remove_all
from rdo.drivers.root import Root
from rdo.errors import ConnectError
from rdo.pool.connection import HeldConnection
from tests.docker_client import TIMEOUT, Connect, connections, output
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until

Make = Callable[..., DockerDriver]

KILLED = """
import os, sys, time
from rdo.drivers.docker.driver import DockerDriver
from rdo.config.schema import Settings
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller
settings = Settings(image=sys.argv[1], pull_image="never", fresh=sys.argv[2] == "fresh")
connection = connected(DockerDriver(settings, sys.argv[3], "default", os.environ), ScriptedCaller())
channel = connection.open_channel("echo up; sleep 60", None)
assert channel.read(10) is not None
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def environment(docker_engine: DockerEngine) -> dict[str, str]:
    """The environment of a caller."""
    return {**os.environ, "DOCKER_HOST": docker_engine.host}


@pytest.fixture
def make(docker_engine: DockerEngine, tmp_path: Path, environment: dict[str, str]) -> Make:
    """Makes drivers for the image whose /bin/sh is dash."""

    def driver(**settings: Any) -> DockerDriver:
        chosen = Settings(**{"image": docker_engine.image(), "pull_image": "never", **settings})
        return DockerDriver(chosen, str(tmp_path), "default", environment)

    return driver


@pytest.fixture
def connect(environment: dict[str, str]) -> Iterator[Connect]:
    """Connects, and closes the connections after the test."""
    with connections(environment) as connect:
        yield connect


def ours(engine: DockerEngine) -> list[str]:
    """The containers that rdo created."""
    with engine.client() as client:
        return [
            str(each.id) for each in client.containers.list(all=True, filters={"label": MASTER}, ignore_removed=True)
        ]


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(("directory", "there"), [(None, "/src"), ("/srv/it", "/srv/it")])
def test_the_project_is_mounted(
    make: Make, connect: Connect, tmp_path: Path, fresh: bool, directory: str | None, there: str
) -> None:
    (tmp_path / "in").write_text("here")
    driver = make(fresh=fresh, directory=directory)
    assert driver.roots() == [Root(str(tmp_path), there)]
    assert output(connect(driver), "pwd; cat in") == f"{there}\nhere"


def test_all_commands_share_a_container_which_is_removed_with_the_connection(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    connection = connect(make())
    assert output(connection, "echo left >/left; hostname") == output(connection, "cat /left >&2; hostname")
    assert len(ours(docker_engine)) == 1
    connection.close()
    assert ours(docker_engine) == []


def test_with_fresh_every_command_has_a_new_container(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    connection = connect(make(fresh=True))
    names = {output(connection, "[ ! -e /left ] && echo left >/left; hostname") for _ in range(3)}
    assert len(names) == 3
    assert wait_until(lambda: len(ours(docker_engine)) == 1, TIMEOUT)
    connection.close()
    assert ours(docker_engine) == []


@pytest.mark.parametrize("fresh", [False, True])
def test_files_belong_to_the_caller_who_has_a_home(
    make: Make, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    tmp_path.chmod(0o777)
    monkeypatch.setattr(os, "getuid", lambda: 1234)
    monkeypatch.setattr(os, "getgid", lambda: 99)
    script = 'touch made; echo x >"$HOME/x"; cd; pwd; stat -c %u:%g . x'
    assert output(connect(make(fresh=fresh)), script) == f"{HOME}\n1234:99\n1234:99"
    assert ((tmp_path / "made").stat().st_uid, (tmp_path / "made").stat().st_gid) == (1234, 99)


def test_a_user_can_be_named(make: Make, connect: Connect) -> None:
    assert output(connect(make(user="nobody")), "id -un") == "nobody"


@pytest.mark.parametrize("kind", ["shared", "fresh"])
def test_a_container_of_a_killed_master_ends_and_is_removed(
    docker_engine: DockerEngine, environment: dict[str, str], tmp_path: Path, kind: str
) -> None:
    command = [sys.executable, "-c", KILLED, docker_engine.image(), kind, str(tmp_path)]
    assert subprocess.run(command, env=environment, cwd=Path(__file__).parents[2], check=False).returncode == -9

    def running() -> list[str]:
        with docker_engine.client() as client:
            return [str(each.id) for each in client.containers.list(filters={"label": MASTER}, ignore_removed=True)]

    assert wait_until(lambda: not running(), TIMEOUT)
    remove_all(environment)
    assert wait_until(lambda: not ours(docker_engine), TIMEOUT)  # the engine may already be removing it by itself


def test_a_running_container_is_removed_only_if_its_master_is_gone(
    docker_engine: DockerEngine, make: Make, connect: Connect, environment: dict[str, str]
) -> None:
    connection = connect(make())
    with docker_engine.client() as client:
        (mine,) = client.containers.list(filters={"label": MASTER})
        dead = {**mine.labels, MASTER: f"{os.getpid()} 1"}  # another process has its number by now
        foreign = {**dead, SPACE: "another boot, or another PID namespace"}
        image, command = docker_engine.image(), ["/bin/sleep", "60"]
        client.containers.run(image, command, labels=dead, detach=True)
        other = client.containers.run(image, command, labels=foreign, detach=True)
        assert remove_all(environment) == 1
        assert set(ours(docker_engine)) == {mine.id, other.id}
        other.remove(force=True)
    assert output(connection, "echo up") == "up"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="only root has a namespace made")
def test_a_container_is_not_removed_from_where_its_master_cannot_be_seen(
    docker_engine: DockerEngine, make: Make, connect: Connect, environment: dict[str, str]
) -> None:
    connection = connect(make())
    (mine,) = ours(docker_engine)
    clear = "import os; from rdo.drivers.docker import leftovers; print(leftovers.remove_all(os.environ))"
    elsewhere = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", clear]
    done = subprocess.run(elsewhere, env=environment, cwd=Path(__file__).parents[2], capture_output=True, check=True)
    assert (done.stdout, ours(docker_engine)) == (b"0\n", [mine])
    assert output(connection, "echo up") == "up"


def test_the_name_of_a_container_describes_it(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
    connection = connect(make())
    with docker_engine.client() as client:
        (mine,) = client.containers.list(filters={"label": MASTER})
        assert re.fullmatch(r"rdo-[a-zA-Z0-9_.-]{1,40}-[0-9a-f]{8}", str(mine.name))
    assert connection.keepalive.check_alive()


@pytest.mark.parametrize("fresh", [False, True])
def test_an_image_without_sh_is_an_error_that_names_it(
    docker_engine: DockerEngine, make: Make, connect: Connect, fresh: bool
) -> None:
    with docker_engine.container(command=["/bin/bash", "-c", "rm /bin/sh"]) as name, docker_engine.client() as client:
        container = client.containers.get(name)
        container.wait()
        container.commit("rdo-test-without", "latest")
    with pytest.raises(ConnectError, match="there is no /bin/sh in `rdo-test-without`"):
        HeldConnection(connect(make(image="rdo-test-without", fresh=fresh))).open_shell(ChannelOptions())
    assert wait_until(lambda: not ours(docker_engine), TIMEOUT)


def test_the_connection_ends_with_its_container(
    docker_engine: DockerEngine, make: Make, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(make())
    assert connection.keepalive.check_alive()
    with docker_engine.client() as client:
        client.containers.get(ours(docker_engine)[0]).remove(force=True)
    monkeypatch.setattr("rdo.drivers.docker.container_watch.LIVENESS", 0.0)
    assert not connection.keepalive.check_alive()


@pytest.mark.parametrize(
    ("security", "user"),
    [(["name=seccomp,profile=default", "name=rootless"], "0:0"), (["name=x-rootless"], "1234:99"), (None, "1234:99")],
)
def test_root_in_the_container_is_the_caller_if_the_engine_is_rootless(
    monkeypatch: pytest.MonkeyPatch, security: list[str] | None, user: str
) -> None:
    class Told:
        def ask(self, method: str, path: str) -> EngineAnswer:
            return EngineAnswer({"SecurityOptions": security}, path)

    monkeypatch.setattr(os, "getuid", lambda: 1234)
    monkeypatch.setattr(os, "getgid", lambda: 99)
    made = ContainerFactory(Told(), ContainerOptions("x", "/", "/src", "default", None))  # type: ignore[arg-type]
    assert made.user == user
