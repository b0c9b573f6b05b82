"""Tests for the installed rdo with a real engine: an existing container, and one from an image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project
from tests.e2e.terminal import Terminal
from tests.soak import Counted, tries


def test_a_command_runs_in_the_matching_directory(project: Project, profile: str) -> None:
    (project.local / "src" / "file").write_text("from here")
    found = project.run("-p", profile, "sh", "-c", "pwd; cat file; echo err >&2; exit 3", cwd="src")
    directory = b"/it/src" if profile == "default" else b"/src/src"
    assert (found.returncode, found.stdout, found.stderr) == (3, directory + b"\nfrom here", b"err\n")


def test_paths_in_arguments_are_mapped(project: Project, profile: str) -> None:
    found = project.run("-p", profile, "echo", f"--file={project.local}/src/x")
    assert found.stdout == (b"--file=/it/src/x\n" if profile == "default" else b"--file=/src/src/x\n")


def test_if_nothing_of_the_project_is_mounted_nothing_runs(project: Project, container: str, tmp_path: Path) -> None:
    other = make_project(tmp_path, project.environment)
    other.configure(f'driver = "docker"\ncontainer = "{container}"\n')
    line = f"rdo: nothing of this directory is mounted in `{container}`; set `directory`\n".encode()
    for words in (["touch", "here"], ["-s", "touch", "here"], ["-c", "touch here"]):
        found = other.run(*words)
        assert (found.returncode, found.stdout, found.stderr) == (255, b"", line)
    assert other.run("--dir", "/opt", "ls").stdout == b""
    explained = other.shell("rdoctl explain true")
    assert line.removeprefix(b"rdo: ") in explained.stderr


def test_a_part_of_the_project_that_a_volume_hides_is_another_directory(
    project: Project, docker_engine: DockerEngine
) -> None:
    (project.local / "mod").mkdir(exist_ok=True)
    with docker_engine.client() as client:
        volumes = [f"{project.local}:/it", "/it/mod"]
        container = client.containers.run(docker_engine.image(), "sleep infinity", detach=True, volumes=volumes)
        try:
            project.configure(f'driver = "docker"\ncontainer = "{container.name}"\n')
            assert project.run("pwd").stdout == b"/it\n"
            found = project.run("pwd", cwd="mod")
            assert (found.returncode, found.stdout) == (255, b"")
            assert b"a volume is mounted over it; `--dir /it/mod` runs in the target's directory" in found.stderr
            assert project.run("--dir", "/it/mod", "pwd", cwd="mod").stdout == b"/it/mod\n"
        finally:
            container.remove(force=True, v=True)


def test_the_engine_runs_a_command_as_another_user_without_sudo(project: Project, profile: str) -> None:
    script = "id -u; echo $(id -g); command -v sudo >/dev/null && mv $(command -v sudo) /gone; touch here"
    assert project.run("-p", profile, "-s", "sh", "-c", script).stdout == b"0\n0\n"
    assert project.run("-p", profile, "-u", "nobody", "id", "-un").stdout == b"nobody\n"
    assert project.run("-p", profile, "-u", "1234:99", "sh", "-c", "echo $(id -u):$(id -g)").stdout == b"1234:99\n"
    assert project.run("-p", profile, "-s", "-u", "nobody", "id", "-un").stdout == b"nobody\n"
    found = project.run("-p", profile, "-u", "nobody-here", "true")
    assert found.returncode == 255
    assert b"nobody-here" in found.stderr


def test_the_user_can_use_what_root_installs_in_a_container_of_rdo(project: Project) -> None:
    for command in (["-s", "touch", "/installed"], ["ls", "/installed"], ["-u", "nobody", "ls", "/installed"]):
        assert project.run("-p", "made", *command).returncode == 0


@pytest.mark.soak
def test_the_end_of_input_arrives_each_time(project: Project, counted: Counted) -> None:
    for _ in counted("ends of input in a container", range(tries(15, 500))):
        assert project.run("cat", input=b"abc").stdout == b"abc"


def test_a_terminal_has_its_size_and_ctrl_c_works(project: Project, profile: str) -> None:
    with Terminal(["bash", "--norc", "-i"], project.local, {**project.environment, "PS1": "$ "}) as terminal:
        terminal.expect("$ ")
        for _ in range(3):
            terminal.line(f"rdo -p {profile} stty size")
            terminal.expect("30 100\r\n")
            terminal.expect("$ ")
        trap = "trap \"exit 7\" INT; echo u''p; while :; do sleep 0.05; done"
        terminal.line(f"rdo -p {profile} sh -c '{trap}'; echo s=$?")
        terminal.expect("up\r\n")
        terminal.type("\x03")
        terminal.expect("s=7")


def test_a_container_that_was_stopped_is_started_by_the_next_command(
    project: Project, docker_engine: DockerEngine
) -> None:
    with docker_engine.container(mounts={project.local: "/it"}) as name, docker_engine.client() as client:
        project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
        assert project.run("true").returncode == 0
        client.containers.get(name).stop(timeout=0)
        assert project.run("echo", "up").stdout == b"up\n"


def test_the_container_that_has_the_name_now_gets_the_next_command(
    project: Project, docker_engine: DockerEngine, container: str
) -> None:
    with project.start("sh", "-c", "echo up; read line; hostname") as before, docker_engine.client() as client:
        before.expect_up()
        old = client.containers.get(container)
        first = old.attrs["Config"]["Hostname"].encode()
        assert project.run("hostname").stdout.strip() == first
        old.rename(f"{container}-old")
        assert b"there is no container" in project.run("hostname").stderr
        with docker_engine.container(mounts={project.local: "/it"}, name=container, hostname="next"):
            assert project.run("hostname").stdout == b"next\n"
            assert before.communicate(b"\n")[0].strip() == first


@pytest.mark.parametrize("seconds", [0, 0.1, 0.2])
def test_a_container_that_exits_at_once_is_one_line_that_names_its_log(
    project: Project, docker_engine: DockerEngine, seconds: float
) -> None:
    command = ["/bin/sh", "-c", f"sleep {seconds}; exit 3"]
    options: dict[str, Any] = {"command": command, "restart_policy": {"Name": "always"}}
    with docker_engine.container(mounts={project.local: "/it"}, **options) as name:
        project.configure(f'driver = "docker"\ncontainer = "{name}"\n')
        found = project.run("true")
    if seconds and not found.stderr:  # the command ended before the container did, or with it
        assert found.returncode in (0, 128 + 15, 128 + 9)
        return
    last = found.stderr.decode().splitlines()[-1]
    assert found.returncode == 255
    assert last.startswith("rdo: ")
    assert last.endswith(f"; see `docker logs {name}`")
    assert "no longer exists" not in last


def test_an_unknown_container_is_one_line(project: Project) -> None:
    project.configure('driver = "docker"\ncontainer = "nowhere"\n')
    found = project.run("true")
    assert (found.returncode, found.stderr) == (255, b"rdo: there is no container `nowhere`; see `docker ps --all`\n")
