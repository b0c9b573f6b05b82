"""Tests for `rdoctl open`, which opens a forwarded port in the caller's browser."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.e2e.project import TIMEOUT, Project, Result, ssh_config_text
from tests.leaks import wait_until
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def opening(project: Project, tmp_path: Path) -> Project:
    """A project whose caller has a browser that records what it is to open."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >>{shlex.quote(str(tmp_path / "opened"))}\n')
    browser.chmod(0o755)
    return replace(project, environment={**project.environment, "BROWSER": str(browser)})


def forward(project: Project, *words: str) -> None:
    project.configure(ssh_config_text(project, f"forward = {list(words)}\n"))
    assert project.run("true").stderr == b""


def rdoctl(project: Project, *words: str) -> Result:
    return project.shell(shlex.join(["rdoctl", "open", *words]))


def opens(project: Project, tmp_path: Path, port: int, *words: str, host: str = "localhost") -> None:
    result = rdoctl(project, *words)
    url = f"http://{host}:{port}/"
    assert (result.returncode, result.stdout, result.stderr) == (0, f"opening {url}\n".encode(), b"")
    record = tmp_path / "opened"
    assert wait_until(lambda: record.exists() and record.read_text().endswith(f"{url}\n"), TIMEOUT)


def test_the_only_port_needs_no_name(opening: Project, tmp_path: Path) -> None:
    here, there = free_port(), free_port()
    forward(opening, f"{here}:{there}", f"{tmp_path}/socket:/there")
    for words in ((), (str(here),), (str(there),)):
        opens(opening, tmp_path, here, *words)


def test_a_port_of_one_address_is_opened_there(opening: Project, tmp_path: Path) -> None:
    for host in ("127.0.0.1", "[::1]"):
        here, there = free_port(), free_port()
        forward(opening, f"{host}:{here}:localhost:{there}")
        opens(opening, tmp_path, here, str(here), host=host)


def test_of_several_ports_one_has_to_be_named(opening: Project, tmp_path: Path) -> None:
    first, second, there = sorted((free_port(), free_port(), free_port()))
    forward(opening, f"{first}:{there}", f"{second}:db:{first}")
    result = rdoctl(opening)
    said = result.stderr.decode()
    assert result.returncode == 255
    assert said.startswith(f"rdoctl: several ports are forwarded: `{first} -> ")
    assert f"`{second} -> db:{first} by " in said
    assert said.endswith(f"; name one of them, as in `rdoctl open {first}`\n")
    opens(opening, tmp_path, first, str(first))
    opens(opening, tmp_path, second, str(second))
    opens(opening, tmp_path, first, str(there))
    assert f"`1` is not a forwarded port: the forwarded ports are `{first} -> ".encode() in rdoctl(opening, "1").stderr


def test_without_a_forwarded_port_a_line_reports_it(opening: Project) -> None:
    for words in ((), ("3000",), ("x",)):
        result = rdoctl(opening, *words)
        said = b"rdoctl: no port is forwarded; see `rdo -L` and the key `forward`\n"
        assert (result.returncode, result.stderr) == (255, said)


def test_without_a_browser_a_line_reports_it(opening: Project, tmp_path: Path) -> None:
    port = free_port()
    forward(opening, str(port))
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (programs / name).symlink_to(str(shutil.which(name)))
    rdoctl = Path(str(opening.command()[0])).with_name("rdoctl")
    environment = {**opening.environment, "BROWSER": "/missing", "PATH": str(programs)}
    result = subprocess.run([rdoctl, "open"], cwd=opening.local, env=environment, capture_output=True, timeout=TIMEOUT)
    said = b"rdoctl: cannot open the URL here: no browser was found; set BROWSER to the command that starts one\n"
    assert (result.returncode, result.stderr) == (255, said)
