"""Containers that others made: found by name or service, started, entered as a user, and mapped by their mounts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rdo.drivers.base import ChannelOptions, Pty, WindowSize
from rdo.drivers.docker.container_watch import LIVENESS
from rdo.drivers.root import Root
from rdo.errors import ConfigError, ConnectError, LinkLost
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import ProcessGroup
from rdo.remote_sh.script import Script
from tests.docker_client import BOUND, Connect, Make, connections, output
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.soak import Counted, tries
from tests.ssh_client import ScriptedCaller

HEALTH = {"test": ["CMD-SHELL", "test -e /healthy || { touch /healthy; false; }"], "interval": 500_000_000}


@pytest.fixture
def connect(docker_engine: DockerEngine) -> Iterator[Connect]:
    """Connects, and closes after the test."""
    with connections({**os.environ, "DOCKER_HOST": docker_engine.host}) as connect:
        yield connect


@pytest.fixture(scope="module")
def shared(docker_engine: DockerEngine) -> Iterator[str]:
    """A container that runs, for tests that leave it as it is."""
    with docker_engine.container(working_dir="/opt") as name:
        yield name


def test_directories_are_those_that_are_mounted(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    with docker_engine.container(runs=False, mounts={tmp_path: "/app", tmp_path / "lib": "/usr/lib/mine"}) as name:
        local = str(tmp_path)
        assert make(container=name).roots() == [Root(local, "/app"), Root(f"{local}/lib", "/usr/lib/mine")]
        assert make(container=name, directory="/x").roots() == [Root(local, "/x")]


def test_what_a_volume_or_a_tmpfs_hides_is_not_shared(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    options: dict[str, Any] = {"tmpfs": {"/app/tmp": ""}, "volumes": [f"{tmp_path}:/app", "/app/mod"]}
    with docker_engine.client() as client:
        container = client.containers.create(docker_engine.image(), "sleep", **options)
        try:
            found = make(container=container.name).roots()
        finally:
            container.remove(v=True)
    local = str(tmp_path)
    assert [(root.local, root.remote, root.shared) for root in found] == [
        (local, "/app", True), (f"{local}/mod", "/app/mod", False), (f"{local}/tmp", "/app/tmp", False)
    ]  # fmt: skip


def test_a_volume_that_is_made_of_a_directory_is_that_directory(
    docker_engine: DockerEngine, make: Make, tmp_path: Path
) -> None:
    options = {"type": "none", "o": "bind", "device": str(tmp_path)}
    with docker_engine.client() as client:
        volume = client.volumes.create(driver="local", driver_opts=options)
        container = client.containers.create(docker_engine.image(), "sleep", volumes=[f"{volume.name}:/app"])
        try:
            assert make(container=container.name).roots() == [Root(str(tmp_path), "/app")]
        finally:
            container.remove()
            volume.remove(force=True)


def test_nothing_is_shared_where_nothing_is_mounted(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    with docker_engine.container(runs=False, working_dir="/opt") as name:
        driver = make(container=name)
        assert driver.roots() == []
        words = f"nothing of this directory is mounted in `{name}`; set `directory`"
        assert str(driver.unmapped_error(str(tmp_path))) == words


def test_a_mounted_file_is_no_directory_to_change_to(docker_engine: DockerEngine, make: Make, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with docker_engine.container(runs=False, mounts={tmp_path / "file": "/file"}) as name:
        driver = make(container=name)
        assert driver.roots() == [Root(f"{tmp_path}/file", "/file")]
        words = f"nothing of this directory is mounted in `{name}`; set `directory`"
        assert str(driver.unmapped_error(str(tmp_path))) == words


@pytest.mark.parametrize(("user", "found"), [(None, "0:0"), ("nobody", "65534:65534"), ("1234:99", "1234:99")])
def test_a_command_runs_as_the_user(shared: str, make: Make, connect: Connect, user: str | None, found: str) -> None:
    assert output(connect(make(container=shared, user=user)), 'echo "$(id -u):$(id -g)"') == found


def test_an_unknown_user_is_named(shared: str, make: Make, connect: Connect) -> None:
    connection = connect(make(container=shared, user="nobody-here"))
    with pytest.raises(ConnectError, match=r"cannot start /bin/sh in .*nobody-here.*; check `user`"):
        HeldConnection(connection).open_shell(ChannelOptions())


def test_an_unknown_user_is_named_where_a_login_shell_is_wanted(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name:
        connection = connect(make(container=name, user="nobody-here", login=True))
        with pytest.raises(ConnectError, match=r"cannot start /bin/sh in .*nobody-here"):
            HeldConnection(connection).open_shell(ChannelOptions(login=True))


PHRASES = {"exited": "has exited", "paused": "is paused"}


@pytest.mark.parametrize("state", PHRASES)
def test_a_container_that_does_not_run_is_started(
    docker_engine: DockerEngine, make: Make, connect: Connect, state: str
) -> None:
    with docker_engine.container(runs=state != "created") as name, docker_engine.client() as client:
        container = client.containers.get(name)
        if state == "paused":
            container.pause()
        elif state == "exited":
            container.stop(timeout=0)
        what = f"the container `{name}` {PHRASES[state]}"
        with pytest.raises(ConnectError, match=rf"{what}; `docker (start|unpause) {name}`"):
            connect(make(container=name, auto_start=False))
        assert output(connect(make(container=name)), "echo up") == "up"


def test_its_health_is_waited_for(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
    with docker_engine.container(runs=False, healthcheck=HEALTH) as name, docker_engine.client() as client:
        container = client.containers.get(name)
        connection = connect(make(container=name))
        container.reload()
        assert container.attrs["State"]["Health"]["Status"] == "healthy"
        assert output(connection, "ls /healthy") == "/healthy"


def test_a_container_that_does_not_keep_running_is_refused(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    check = {**HEALTH, "interval": 60_000_000_000}
    options: dict[str, Any] = {"command": ["/bin/sh", "-c", "sleep 0.5; exit 1"], "healthcheck": check}
    with docker_engine.container(runs=False, **options) as name:
        why = f"`{name}` does not keep running: it ended with status 1; .*docker logs"
        with pytest.raises(ConnectError, match=why):
            connect(make(container=name))


def test_an_unknown_name_brings_the_nearest(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
    near = pytest.raises(ConnectError, match="did you mean `frontend-1`")
    with docker_engine.container(runs=False, name="frontend-1"), near:
        make(container="fronted-1").roots()
    with pytest.raises(ConnectError, match="there is no container `x`; see `docker ps --all`"):
        connect(make(container="x", directory="/"))


def test_the_beginning_of_an_id_is_not_a_name(docker_engine: DockerEngine, make: Make) -> None:
    with docker_engine.container(runs=False) as name, docker_engine.client() as client:
        identity = str(client.containers.get(name).id)
        assert make(container=identity[:12]).roots() == []
        with pytest.raises(ConnectError, match=f"there is no container `.*`: the ID of `{name}` starts with that"):
            make(container=identity[:4]).roots()


def test_a_missing_workdir_does_not_keep_a_command_from_starting(
    docker_engine: DockerEngine, shared: str, make: Make, connect: Connect
) -> None:
    command = ["/bin/sh", "-c", "cd /; rmdir /gone; exec sleep 60"]
    with docker_engine.container(command=command, working_dir="/gone") as name, docker_engine.client() as client:
        assert wait_until(lambda: client.containers.get(name).exec_run(["ls", "/gone"], workdir="/").exit_code, BOUND)
        assert output(connect(make(container=name)), "pwd") == "/"
    assert output(connect(make(container=shared)), "pwd") == "/opt"


def test_a_container_that_was_re_created_is_found_again(
    docker_engine: DockerEngine, make: Make, connect: Connect, tmp_path: Path
) -> None:
    driver = make(container="again")
    with docker_engine.container(name="again", mounts={tmp_path: "/app"}):
        assert driver.roots()
        connection = connect(driver)
        assert output(connection, "echo $$")
    with pytest.raises(LinkLost):
        connection.open_channel("true", None)
    with docker_engine.container(name="again", mounts={tmp_path: "/app"}):
        assert output(connect(driver), "echo up") == "up"
    with docker_engine.container(name="again", mounts={tmp_path: "/elsewhere"}):
        with pytest.raises(ConnectError, match="directories of `container again` have changed; try again"):
            connect(driver)
        assert driver.roots() == [Root(str(tmp_path), "/elsewhere")]
        assert output(connect(driver), "echo up") == "up"


def test_a_paused_container_goes_on_for_a_command_and_not_by_itself(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        container = client.containers.get(name)
        connection, unwilling = connect(make(container=name)), connect(make(container=name, auto_start=False))
        container.pause()
        with pytest.raises(LinkLost, match=f"`{name}` is paused"):
            connection.open_channel("true", None)
        with unwilling.keepalive.in_use(), pytest.raises(ConnectError, match=rf"`{name}` is paused; `docker unpause "):
            unwilling.open_channel("true", None)
        container.reload()
        assert container.status == "paused"
        with connection.keepalive.in_use():
            assert output(connection, "echo up") == "up"
        assert output(unwilling, "echo up") == "up"


def test_a_pause_is_known_at_once_and_what_runs_is_not_waited_for(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name, auto_start=False))
        channel = connection.open_channel("echo up; exec sleep 60", None)
        assert channel.read(BOUND) is not None
        assert connection.keepalive.check_alive()
        assert not channel.has_exited()
        client.containers.get(name).pause()
        assert wait_until(lambda: not connection.keepalive.check_alive(), LIVENESS / 3)
        assert connection.keepalive.is_silent
        with pytest.raises(LinkLost, match=f"`{name}` is paused: .*; `docker unpause {name}`"):
            channel.has_exited()
        client.containers.get(name).unpause()
        assert wait_until(connection.keepalive.check_alive, LIVENESS / 3)
        assert not channel.has_exited()


def test_one_that_was_paused_meanwhile_is_not_taken_for_one_that_runs(docker_engine: DockerEngine, make: Make) -> None:
    caller = ScriptedCaller(environment={**os.environ, "DOCKER_HOST": docker_engine.host})
    with docker_engine.container() as name, docker_engine.client() as client:
        target = make(container=name).resolve(caller)
        target.connect(caller).close()
        client.containers.get(name).pause()
        connection = target.connect(caller)
        assert output(connection, "echo up") == "up"
        connection.close()


def test_another_name_is_known_at_once(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name))
        assert connection.keepalive.has_name(name)
        client.containers.get(name).rename(f"{name}-old")
        assert wait_until(lambda: not connection.keepalive.has_name(name), LIVENESS / 3)
        assert connection.keepalive.has_name(f"{name}-old")
        assert output(connection, "echo up") == "up"


def test_a_container_that_ended_is_not_said_to_be_gone(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name))
        client.containers.get(name).stop(timeout=0)
        with pytest.raises(LinkLost, match=f"^`{name}` has exited; see `docker logs {name}`$"):
            connection.open_channel("true", None)


def test_what_runs_when_the_container_goes_has_a_bad_end(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        channel = connect(make(container=name)).open_channel("echo up; exec sleep 60", None)
        assert channel.read(BOUND) is not None
        client.containers.get(name).remove(force=True)
        assert channel.read(BOUND) is None
        with pytest.raises(LinkLost, match=f"container `{name}` reported no exit status"):
            channel.exit_status()


def test_a_signal_for_what_is_gone_harms_nobody_where_sudo_asks_for_nothing(
    shared: str, make: Make, connect: Connect
) -> None:
    link = HeldConnection(connect(make(container=shared)))
    link.start_lifeline()
    bystander = link.open_shell(ChannelOptions())
    script = "exec 2>&-; trap 'exit 7' USR1; echo up; while :; do sleep 0.05; done"
    bystander.start(Script(command=["sh", "-c", script]))
    assert bystander.channel.read(BOUND) is not None
    link.signal(ProcessGroup(1999999, 1999999), "KILL")
    link.signal(bystander.group, "USR1")
    assert bystander.channel.read(BOUND) is None
    assert bystander.channel.exit_status() == 7


def test_an_image_without_sh_is_an_error_that_says_so(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container(command=["/bin/bash", "-c", "rm /bin/sh; exec sleep 60"]) as name:
        connection = connect(make(container=name))
        with pytest.raises(ConnectError, match=f"there is no /bin/sh in `{name}`"):
            HeldConnection(connection).open_shell(ChannelOptions())


def test_fresh_is_for_images(make: Make) -> None:
    with pytest.raises(ConfigError, match="`fresh` needs an image"):
        make(container="x", fresh=True)


@pytest.mark.soak
def test_every_pty_has_its_size_at_once(shared: str, make: Make, connect: Connect, counted: Counted) -> None:
    connection = connect(make(container=shared))
    for _ in counted("sizes of new terminals in a container", range(tries(15, 500))):
        channel = connection.open_channel("read x; stty size", Pty("xterm", WindowSize(50, 120)))
        channel.write(b"\n")
        text = b""
        while (chunk := channel.read(BOUND)) is not None:
            text += chunk.data
        channel.close()
        assert text.endswith(b"50 120\r\n")
