"""Tests for the end of a command in a container, of its client and of its master: no process outlives them."""

from __future__ import annotations

import os
import signal

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.masters import masters
from tests.e2e.project import Project
from tests.leaks import wait_until

GONE = 5.0
"""Seconds in which a command must be gone after its client or its master."""


def processes(engine: DockerEngine, container: str) -> list[str]:
    """The command lines in the container."""
    with engine.client() as client:
        return [row[-1] for row in client.containers.get(container).top()["Processes"]]


def sleepers(engine: DockerEngine, container: str) -> list[str]:
    """Those that show whether a command has ended."""
    return [line for line in processes(engine, container) if "sleep 32" in line]


@pytest.mark.parametrize("words", [["-s"], ["-u", "nobody"]], ids=["as root", "as a user"])
def test_no_process_of_another_user_outlives_its_client(
    project: Project, docker_engine: DockerEngine, unprivileged: str, words: list[str]
) -> None:
    project.configure(f'driver = "docker"\ncontainer = "{unprivileged}"\n')
    with project.start(*words, "sh", "-c", "echo up; sleep 321 | sleep 322") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.kill()
        process.wait()
    assert wait_until(lambda: not sleepers(docker_engine, unprivileged), GONE)


def test_a_reader_that_closes_ends_the_command(project: Project, docker_engine: DockerEngine, container: str) -> None:
    found = project.shell("rdo yes | head -1; echo ${PIPESTATUS[0]}")
    assert found.stdout == b"y\n141\n"
    assert wait_until(lambda: "yes" not in processes(docker_engine, container), GONE)


def test_a_writer_that_ignores_sigpipe_is_also_ended(project: Project) -> None:
    script = "trap '' PIPE; while :; do echo x; done"
    found = project.shell(f'rdo sh -c "{script}" | head -1; echo ${{PIPESTATUS[0]}}')
    assert found.stdout == b"x\n143\n"


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP", "KILL"])
def test_nothing_outlives_its_client(project: Project, docker_engine: DockerEngine, container: str, name: str) -> None:
    with project.start("sh", "-c", "echo up; sleep 321 | sleep 322") as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        process.send_signal(getattr(signal, f"SIG{name}"))
        process.wait()
    assert wait_until(lambda: not sleepers(docker_engine, container), GONE)


def test_nothing_outlives_its_master(own: Project, profile: str) -> None:
    beat = own.local / "beat"
    with own.start(
        "-p", profile, "sh", "-c", "echo >beat; echo up; while :; do echo >beat; sleep 0.05; done"
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        (master,) = masters(own)
        os.kill(master, signal.SIGKILL)
        assert process.wait() == 255

    def still() -> bool:
        before = beat.stat().st_mtime_ns
        return not wait_until(lambda: beat.stat().st_mtime_ns != before, 0.5)

    assert wait_until(still, GONE)
    assert own.run("-p", profile, "echo", "again").stdout == b"again\n"


def test_stop_all_removes_the_container_of_a_master_that_was_killed(own: Project, docker_engine: DockerEngine) -> None:
    assert own.run("-p", "made", "true").returncode == 0
    (master,) = masters(own)
    with docker_engine.client() as client:
        (container,) = client.containers.list(filters={"label": f"rdo.root={own.local}"})
        os.kill(container.attrs["State"]["Pid"], signal.SIGSTOP)  # it would end by itself after its master
        os.kill(master, signal.SIGKILL)
        assert wait_until(lambda: b"removed " in own.shell("rdoctl stop --all").stdout, 3 * GONE)
        assert client.containers.list(all=True, filters={"label": "rdo.master"}, ignore_removed=True) == []
