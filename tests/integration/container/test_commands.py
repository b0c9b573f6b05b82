"""Tests for commands in existing containers: how these are found, what runs in them, and as which user."""

from __future__ import annotations

import pytest

from rdo.drivers.base import ChannelOptions, Pty, WindowSize
from rdo.errors import ConfigError, ConnectError
from rdo.pool.connection import HeldConnection
from rdo.pool.shell import ProcessGroup
from rdo.remote_sh.script import Script
from tests.docker_client import TIMEOUT, Connect, Make, output
from tests.docker_engine import DockerEngine
from tests.leaks import wait_until
from tests.soak import Counted, tries


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


def test_an_unknown_name_suggests_the_nearest(docker_engine: DockerEngine, make: Make, connect: Connect) -> None:
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


def test_a_missing_workdir_does_not_prevent_a_command(
    docker_engine: DockerEngine, shared: str, make: Make, connect: Connect
) -> None:
    command = ["/bin/sh", "-c", "cd /; rmdir /gone; exec sleep 60"]
    with docker_engine.container(command=command, working_dir="/gone") as name, docker_engine.client() as client:
        assert wait_until(lambda: client.containers.get(name).exec_run(["ls", "/gone"], workdir="/").exit_code, TIMEOUT)
        assert output(connect(make(container=name)), "pwd") == "/"
    assert output(connect(make(container=shared)), "pwd") == "/opt"


def test_with_sudo_a_signal_for_a_process_that_is_gone_is_harmless(shared: str, make: Make, connect: Connect) -> None:
    link = HeldConnection(connect(make(container=shared)))
    link.start_lifeline()
    bystander = link.open_shell(ChannelOptions())
    script = "exec 2>&-; trap 'exit 7' USR1; echo up; while :; do sleep 0.05; done"
    bystander.start(Script(command=["sh", "-c", script]))
    assert bystander.channel.read(TIMEOUT) is not None
    link.signal(ProcessGroup(1999999, 1999999), "KILL")
    link.signal(bystander.group, "USR1")
    assert bystander.channel.read(TIMEOUT) is None
    assert bystander.channel.exit_status() == 7


def test_an_image_without_sh_is_an_error_that_names_it(
    docker_engine: DockerEngine, make: Make, connect: Connect
) -> None:
    with docker_engine.container(command=["/bin/bash", "-c", "rm /bin/sh; exec sleep 60"]) as name:
        connection = connect(make(container=name))
        with pytest.raises(ConnectError, match=f"there is no /bin/sh in `{name}`"):
            HeldConnection(connection).open_shell(ChannelOptions())


def test_fresh_needs_an_image(make: Make) -> None:
    with pytest.raises(ConfigError, match="`fresh` needs an image"):
        make(container="x", fresh=True)


@pytest.mark.soak
def test_every_pty_has_its_size_at_once(shared: str, make: Make, connect: Connect, counted: Counted) -> None:
    connection = connect(make(container=shared))
    for _ in counted("sizes of new terminals in a container", range(tries(15, 500))):
        channel = connection.open_channel("read x; stty size", Pty("xterm", WindowSize(50, 120)))
        channel.write(b"\n")
        text = b""
        while (chunk := channel.read(TIMEOUT)) is not None:
            text += chunk.data
        channel.close()
        assert text.endswith(b"50 120\r\n")
