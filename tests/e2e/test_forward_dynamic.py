"""Tests for a SOCKS proxy that connects from the target, with -D."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.conftest import require
from tests.e2e.project import TIMEOUT, Project
from tests.e2e.test_forward import TEXT, listens, ports, web_server
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")


@pytest.mark.both_clients
def test_a_proxy_listens_while_its_command_runs(project: Project) -> None:
    curl = shutil.which("curl") or require("curl", "it is not installed")
    with web_server(project.remote) as port:
        here = free_port()
        with project.start("-D", str(here), "sh", "-c", "echo up; cat") as command:
            command.expect_up()
            words = [str(curl), "-sS", "-4", "--socks5-hostname", f"localhost:{here}", f"http://localhost:{port}/page"]
            done = subprocess.run(words, capture_output=True, timeout=TIMEOUT, check=False)
            assert (done.stdout, done.stderr) == (TEXT, b"")
            (forward,) = ports(project)
            assert (forward["kind"], forward["local"]) == ("dynamic", f"localhost:{here}")
            assert forward["remote"].endswith("devbox (SOCKS)")
        assert wait_until(lambda: not listens(here), TIMEOUT)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("-D", "socks"), "rdo: `-D socks` is not of the form `PORT` or `ADDRESS:PORT`; "),
        (("-D1080:db:80",), "rdo: `-D 1080:db:80` is not of the form `PORT` or `ADDRESS:PORT`; "),
        (("-D", "*:1080"), "rdo: `-D *:1080` would open the port to other machines: "),
    ],
)
def test_with_an_invalid_proxy_no_command_is_started(project: Project, words: tuple[str, ...], says: str) -> None:
    result = project.run(*words, "touch", "started")
    assert result.returncode == 255
    assert result.stderr.decode().startswith(says)
    assert not (project.remote / "started").exists()
