"""Tests for mapping paths of the target to local ones in output, on both streams, over real connections."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import Project, make_project, ssh_project
from tests.e2e.terminal import Terminal
from tests.sshd import Sshd

pytestmark = pytest.mark.usefixtures("lent")

TIMEOUT = 30.0
"""Seconds for a prompt to appear."""

PYTEST = """\
============================= test session starts ==============================
rootdir: {root}
{root}/tests/test_x.py:12: AssertionError
FAILED {root}/tests/test_x.py::test_it - assert {root_elsewhere} == 1
"""
GCC = """\
In file included from {root}/src/a.c:1:
\033[01m\033[K{root}/src/a.h:2:1:\033[m\033[K \033[01;31m\033[Kerror: \033[m\033[K\u2018x\u2019 undeclared
gcc -I{root}/include -o '{root}/a' "{root}/a.c"
make: *** [{root}/Makefile:3: a] Error 1; see \033]8;;file://{url}/log\033\\the log\033]8;;\033\\
"""


@pytest.fixture(scope="module", params=["sshd", "docker_engine"])
def server(request: pytest.FixtureRequest) -> Sshd | DockerEngine:
    """Both servers. The scope is wider than a test, so that the leak check knows them."""
    found: Sshd | DockerEngine = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def project(server: Sshd | DockerEngine, tmp_path: Path, runtime: dict[str, str]) -> Iterator[Project]:
    """A project whose directory has another name on the target."""
    if isinstance(server, Sshd):
        yield ssh_project(tmp_path, runtime, server)
        return
    made = make_project(tmp_path, {**runtime, "DOCKER_HOST": server.host})
    with server.container(mounts={made.local: "/it"}) as name:
        made.configure(f'driver = "docker"\ncontainer = "{name}"\n')
        yield replace(made, remote=Path("/it"))


def written(text: str, directory: Path) -> str:
    """The output of a tool that names a directory."""
    url = str(directory).replace(" ", "%20").replace("'", "%27")
    return text.format(root=directory, url=url, root_elsewhere=f"x{directory}")


@pytest.mark.parametrize("text", [PYTEST, GCC], ids=["pytest", "gcc"])
@pytest.mark.parametrize("stream", [1, 2], ids=["stdout", "stderr"])
def test_output_of_tools_names_local_files(project: Project, text: str, stream: int) -> None:
    text = text.replace("{root_elsewhere}", "7")
    found = project.run("-m", "sh", "-c", f'printf "%s" "$1" >&{stream}', "sh", written(text, project.remote))
    shown = {1: found.stdout, 2: found.stderr}
    assert shown[stream].decode() == written(text, project.local)
    assert shown[3 - stream] == b""


def test_a_name_within_a_longer_path_is_left_alone(project: Project) -> None:
    text = "x{root} {root}2 {root}-old {root}.bak ~{root}"
    assert (
        project.run("-m", "echo", written(text, project.remote)).stdout.decode() == written(text, project.remote) + "\n"
    )


def test_output_is_mapped_only_on_request(project: Project) -> None:
    local, remote = f"{project.local}\n".encode(), f"{project.remote}\n".encode()
    assert project.run("pwd").stdout == remote
    assert project.run("--map-output", "pwd").stdout == local
    config = project.local / ".rdo.conf"
    config.write_text(config.read_text() + "map_output = true\n")
    assert project.run("pwd").stdout == local
    assert project.run("--no-map-output", "pwd").stdout == remote


def test_paths_split_by_packets_are_found(project: Project) -> None:
    lines = 40_000
    found = project.run("--map-output", "-c", f'yes "$PWD/src/x.py:1: $PWD" | head -n {lines}')
    assert found.stdout.decode() == f"{project.local}/src/x.py:1: {project.local}\n" * lines


def test_a_prompt_that_is_a_path_shows_before_anything_follows(project: Project) -> None:
    with project.start("-m", "sh", "-c", 'printf "%s" "$PWD"; read x; echo "/$x"') as process:
        assert process.stdin
        assert process.stdout
        prompt = str(project.local).encode()
        seen = b""
        while len(seen) < len(prompt) and select.select([process.stdout], [], [], TIMEOUT)[0]:
            seen += os.read(process.stdout.fileno(), 1000)
        assert seen == prompt
        process.stdin.write(b"below\n")
        process.stdin.close()
        assert process.stdout.read() == b"/below\n"


def test_a_terminal_shows_local_paths(project: Project) -> None:
    environment = {**project.environment, "PS1": "$ "}
    with Terminal(["bash", "--norc", "-i"], project.local, environment) as terminal:
        terminal.expect("$ ")
        terminal.line('rdo -m sh -c \'printf "%s> " "$PWD"; read x; echo "$PWD/$x"\'')
        terminal.expect(f"{project.local}> ")
        terminal.line("below")
        terminal.expect(f"{project.local}/below\r\n")
        terminal.prompt()
