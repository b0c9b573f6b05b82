"""Tests for existing containers that are started, waited for, paused, renamed, re-created, and removed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from rdo.drivers.docker.container_watch import LIVENESS
from rdo.drivers.root import Root
from rdo.errors import ConnectError, LinkLost
from tests.docker_client import TIMEOUT, Connect, Make, output
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.ssh_client import ScriptedCaller

HEALTH = {"test": ["CMD-SHELL", "test -e /healthy || { touch /healthy; false; }"], "interval": 500_000_000}

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


def test_a_paused_container_is_unpaused_only_for_a_command(
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


def test_a_pause_is_noticed_at_once_and_running_commands_are_not_waited_for(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name, auto_start=False))
        channel = connection.open_channel("echo up; exec sleep 60", None)
        assert channel.read(TIMEOUT) is not None
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


def test_a_container_that_was_paused_meanwhile_is_not_regarded_as_running(
    docker_engine: DockerEngine, make: Make
) -> None:
    caller = ScriptedCaller(environment={**os.environ, "DOCKER_HOST": docker_engine.host})
    with docker_engine.container() as name, docker_engine.client() as client:
        target = make(container=name).resolve(caller)
        target.connect(caller).close()
        client.containers.get(name).pause()
        connection = target.connect(caller)
        assert output(connection, "echo up") == "up"
        connection.close()


def test_a_new_name_is_noticed_at_once(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name))
        assert connection.keepalive.has_name(name)
        client.containers.get(name).rename(f"{name}-old")
        assert wait_until(lambda: not connection.keepalive.has_name(name), LIVENESS / 3)
        assert connection.keepalive.has_name(f"{name}-old")
        assert output(connection, "echo up") == "up"


def test_a_container_that_exited_is_not_reported_as_gone(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name))
        client.containers.get(name).stop(timeout=0)
        with pytest.raises(LinkLost, match=f"^`{name}` has exited; see `docker logs {name}`$"):
            connection.open_channel("true", None)


def test_commands_in_a_container_that_is_removed_are_reported_as_lost(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        channel = connect(make(container=name)).open_channel("echo up; exec sleep 60", None)
        assert channel.read(TIMEOUT) is not None
        client.containers.get(name).remove(force=True)
        assert channel.read(TIMEOUT) is None
        with pytest.raises(LinkLost, match=f"container `{name}` reported no exit status"):
            channel.exit_status()


@pytest.mark.parametrize(("verb", "why"), [("stop", "has exited"), ("restart", "has been started again")])
def test_a_command_whose_container_ends_reports_it(
    docker_engine: DockerEngine, make: Make, connect: Connect, verb: str, why: str
) -> None:
    with docker_engine.container() as name, docker_engine.client() as client:
        connection = connect(make(container=name))
        connection.open_channel("exec sleep 60", None)  # because the lifeline is
        channel = connection.open_channel("read line; echo up; exec sleep 60", None)
        channel.write(b"go\n")
        assert channel.read(TIMEOUT) is not None
        getattr(client.containers.get(name), verb)(timeout=0)
        assert channel.read(TIMEOUT) is None
        with pytest.raises(LinkLost, match=f"reported no exit status: `{name}` {why}$"):
            channel.exit_status()
