"""Tests for a container whose /bin/sh is mksh, yash, posh or zsh: everything works, or one line reports what cannot be
done.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Project, make_project

pytestmark = pytest.mark.usefixtures("lent")

OTHERS = ("mksh", "yash", "posh", "zsh")

LIBRARIES = ("/usr/lib/x86_64-linux-gnu/libtinfo.so.6", "/usr/lib/x86_64-linux-gnu/libcap.so.2")
"""Libraries that some of them need, and that a small container may lack."""


@pytest.fixture(params=OTHERS)
def shell(request: pytest.FixtureRequest) -> str:
    """Each shell that is installed here, and so runs there."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    return str(request.param)


@pytest.fixture
def other(shell: str, docker_engine: DockerEngine, tmp_path: Path, runtime: dict[str, str]) -> Iterator[Project]:
    """A project whose target's /bin/sh is a link to that shell, by which the shell knows which mode to use."""
    project = make_project(tmp_path, {**runtime, "DOCKER_HOST": docker_engine.host})
    (tmp_path / "sh").symlink_to(f"/opt/{shell}")
    program = Path(str(shutil.which(shell))).resolve()
    mounts = {project.remote: str(project.remote), program: f"/opt/{shell}"}
    mounts |= {Path(each): each for each in LIBRARIES if Path(each).exists()}
    with docker_engine.container(mounts=mounts) as name, docker_engine.client() as client:
        linked = client.containers.get(name).exec_run(["ln", "-sf", f"/opt/{shell}", "/bin/sh"])
        assert linked.exit_code == 0, linked
        project.configure(f'driver = "docker"\ncontainer = "{name}"\ndirectory = "{project.remote}"\n')
        yield project


def test_commands_run_with_and_without_a_terminal(other: Project) -> None:
    for option in ("-T", "-t"):
        done = other.run(option, "-e", "A=it's", "sh", "-c", 'echo "$A $1"; exit 7', "sh", "a  b")
        assert (done.returncode, done.stdout.replace(b"\r", b""), done.stderr) == (7, b"it's a  b\n", b""), option
    assert other.run("-T", "cat", input=bytes(range(256))).stdout == bytes(range(256))


def test_a_signal_ends_a_command_with_its_whole_group(other: Project) -> None:
    for option in ("-T", "-t"):
        with other.start(option, "sh", "-c", "sleep 1000 & echo up; wait") as command:
            try:
                assert command.stdout
                assert command.stdout.readline() in (b"up\n", b"up\r\n")
                command.send_signal(signal.SIGTERM)
                command.communicate(timeout=TIMEOUT)
            finally:
                command.kill()
        assert command.returncode == 128 + signal.SIGTERM
        assert other.run("-T", "pgrep", "-x", "sleep").stdout.count(b"\n") <= 1  # the container's own


def test_bytes_that_are_not_characters_arrive_or_are_refused_in_one_line(other: Project, shell: str) -> None:
    for option in ("-T", "-t"):
        done = other.run(option, "printf", "%s|", b"\xff\xfe", "\u00e9".encode())
        if shell != "yash":
            assert (done.returncode, done.stdout) == (0, b"\xff\xfe|\xc3\xa9|")
        else:
            assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (255, b"", 1)
            said = b"rdo: /bin/sh on the target cannot take all bytes of the command: it is yash"
            assert done.stderr.startswith(said)
