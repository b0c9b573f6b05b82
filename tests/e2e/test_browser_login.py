"""Tests a login as with OAuth: a tool in a container opens a page here, which redirects the browser to the tool's
port.
"""

from __future__ import annotations

import contextlib
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.docker_engine import DockerEngine
from tests.e2e.project import TIMEOUT, Project, docker_project
from tests.leaks import wait_until

pytestmark = pytest.mark.usefixtures("lent")

TOOL = r"""
use strict; use Socket; $| = 1;
socket(my $server, PF_INET, SOCK_STREAM, 0) or die;
bind($server, sockaddr_in(0, INADDR_LOOPBACK)) or die;
listen($server, 5) or die;
my ($port) = sockaddr_in(getsockname($server));
my $status = system("xdg-open", "$ARGV[0]?client_id=tool&redirect_uri=http%3A%2F%2Flocalhost%3A$port%2Fcallback");
print "opened ", $status >> 8, "\n";
exit 1 if $status;
accept(my $client, $server) or die;
my $line = <$client>;
syswrite $client, "HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nwelcome\n";
shutdown($client, 1);
1 while <$client>;
print "got $line";
"""
"""Imitates a tool that logs in by a browser, such as `gh auth login --web`."""

BROWSER = """import sys, urllib.request
with urllib.request.urlopen(sys.argv[2]) as page, open(sys.argv[1], "wb") as record:
    record.write(page.read())
"""


class Provider(BaseHTTPRequestHandler):
    """Approves every login, and redirects back to the given URL."""

    def do_GET(self) -> None:
        (back,) = parse_qs(urlsplit(self.path).query)["redirect_uri"]
        self.send_response(302)
        self.send_header("Location", f"{back}?code=secret")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[str]:
    """The provider's address, under a name that does not mean the target itself."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://login.invalid:{server.server_port}/authorize"
        server.shutdown()
        thread.join()


@pytest.fixture
def tool(tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine) -> Iterator[tuple[Project, Path]]:
    """A project whose target is a container, and what its caller's browser has shown."""
    record, code, browser = tmp_path / "page", tmp_path / "browser.py", tmp_path / "browser"
    code.write_text(BROWSER)
    words = shlex.join([sys.executable, "-I", str(code), str(record)])
    browser.write_text(f'#!/bin/sh\nexport http_proxy="http://$PROVIDER/" no_proxy=localhost\nexec {words} "$1"\n')
    browser.chmod(0o755)
    with contextlib.ExitStack() as stack:
        name = stack.enter_context(docker_engine.container(mounts={tmp_path: str(tmp_path)}))
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + 'open_browser = "yes"\n')
        (project.remote / "tool.pl").write_text(TOOL)
        yield replace(project, environment={**project.environment, "BROWSER": str(browser)}), record


def test_the_browser_returns_to_the_tool_that_opened_it(tool: tuple[Project, Path], provider: str) -> None:
    project, record = tool
    environment = {"PROVIDER": f"127.0.0.1:{urlsplit(provider).port}"}
    result = project.run("perl", "tool.pl", provider, env=environment)
    assert result.stdout == b"opened 0\ngot GET /callback?code=secret HTTP/1.1\r\n"
    assert result.stderr.startswith(f"rdo: opening {provider}?client_id=tool&redirect_uri=".encode())
    assert wait_until(lambda: record.exists() and record.read_bytes() == b"welcome\n", TIMEOUT)


def test_a_second_login_uses_the_same_programs_with_another_port(tool: tuple[Project, Path], provider: str) -> None:
    project, _ = tool
    environment = {"PROVIDER": f"127.0.0.1:{urlsplit(provider).port}"}
    for _ in range(2):
        assert project.run("perl", "tool.pl", provider, env=environment).stdout.startswith(
            b"opened 0\ngot GET /callback"
        )


def test_a_port_that_the_container_publishes_here_does_not_interfere(
    tmp_path: Path, runtime: dict[str, str], docker_engine: DockerEngine
) -> None:
    browser, record = tmp_path / "browser", tmp_path / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s\\n" "$1" >>{shlex.quote(str(record))}\n')
    browser.chmod(0o755)
    with (
        docker_engine.container(mounts={tmp_path: str(tmp_path)}, network_mode="host") as name,
        socket.create_server(("127.0.0.1", 0)) as server,
    ):
        project = docker_project(tmp_path, runtime, docker_engine, name)
        project.configure((project.local / ".rdo.conf").read_text() + 'open_browser = "yes"\n')
        url = f"http://localhost:{server.getsockname()[1]}/"
        result = project.run("xdg-open", url, env={"BROWSER": str(browser)})
        assert (result.returncode, result.stderr) == (0, f"rdo: opening {url} here\n".encode())
        assert wait_until(lambda: record.exists() and record.read_text() == f"{url}\n", TIMEOUT)
