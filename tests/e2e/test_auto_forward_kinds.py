"""Tests for `auto_forward` over each kind of connection; a container has its own ports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.listener import forward, here
from tests.e2e.project import TIMEOUT, docker_project
from tests.e2e.reached import Reached, all_but
from tests.e2e.test_forward import TEXT, listens, page, ports
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")


def test_a_port_of_a_container_keeps_its_number_here(
    docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]
) -> None:
    port = free_port()
    with docker_engine.container("busybox", {tmp_path: str(tmp_path)}) as name:
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + "auto_forward = true\n")
        (project.remote / "page").write_bytes(TEXT)
        line = 'busybox httpd -f -p "$1" & echo up; read -r _; kill $!'
        with project.start("sh", "-c", line, "sh", str(port)) as command:
            command.expect_up()
            assert here(project, port) == port
            assert page(port) == TEXT
            command.communicate()


def test_a_port_that_the_container_publishes_here_is_not_forwarded(
    docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]
) -> None:
    there, published, other = free_port(), free_port(), free_port()
    options: dict[str, Any] = {"ports": {f"{there}/tcp": ("127.0.0.1", published)}}
    with (
        docker_engine.network() as network,
        docker_engine.container("busybox", {tmp_path: str(tmp_path)}, network=network, **options) as name,
    ):
        project = docker_project(tmp_path, runtime, docker_engine, name)
        (project.remote / "page").write_bytes(TEXT)
        words = ("-L", f"{published}:{there}", "-L", f"{other}:{there}")
        line = 'busybox httpd -f -p "$1" & echo up; read -r _; kill $!'
        with project.start(*words, "sh", "-c", line, "sh", str(there)) as command:
            command.expect_up()
            assert wait_until(lambda: page(other) == TEXT, TIMEOUT)  # the server may still be starting
            assert page(published) == TEXT
            assert [each["local"] for each in ports(project)] == [f"localhost:{other}"]
            assert command.communicate() == (b"", b"")


@all_but("ssh-dropbear", "it has one session beside the lifeline: later ones would end with those before")
def test_it_works_over_each_kind_of_connection(reached: Reached) -> None:
    """In a container, this takes a relay. An ordinary user cannot see sockets of others."""
    project, port = reached.project, free_port()
    reached.configure("auto_forward = true\n")
    line = 'busybox httpd -f -p "127.0.0.1:$1" & echo up; read -r _; kill $!'
    with project.start("sh", "-c", line, "sh", str(port)) as command:
        command.expect_up()
        assert listens(here(project, port))
        assert wait_until(lambda: forward(project, port)["process"] == "busybox", TIMEOUT)
        command.communicate()
    assert wait_until(lambda: not forward(project, port), TIMEOUT)


def test_a_requested_port_is_forwarded_even_if_it_is_already_automatic(
    docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]
) -> None:
    port, other = free_port(), free_port()
    with docker_engine.container("busybox", {tmp_path: str(tmp_path)}) as name:
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + "auto_forward = true\n")
        line = 'busybox httpd -f -p "$1" & echo up; read -r _; kill $!'
        with project.start("sh", "-c", line, "sh", str(port)) as command:
            command.expect_up()
            assert here(project, port) == port
            with project.start("-L", f"{port}:localhost:{other}", "sh", "-c", "echo up; read -r _") as second:
                second.expect_up()
                found = [(each["local"], each["remote"].rpartition(":")[2], each["auto"]) for each in ports(project)]
                assert (f"localhost:{port}", str(other), False) in found
                second.communicate()
            command.communicate()
