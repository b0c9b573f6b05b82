"""Tests for URLs of a command's ports in its output, which `map_output` replaces by those of the local ports."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.listener import server
from tests.e2e.project import Project, ssh_config_text
from tests.e2e.test_forward import web_server
from tests.ssh_server import free_port

pytestmark = pytest.mark.usefixtures("lent")


@pytest.fixture
def mapping(project: Project) -> Project:
    """A project that forwards the ports of its commands, and maps their output."""
    project.configure(ssh_config_text(project, "auto_forward = true\nmap_output = true\n"))
    return project


@pytest.mark.parametrize("when", ["", "late"], ids=["after it listens", "just before it listens"])
def test_a_url_in_output_gets_the_local_port(mapping: Project, when: str) -> None:
    port = free_port()
    with mapping.start(*server(port, f"at http://localhost:{port}/ now", when)) as command:
        assert command.stdout
        assert command.stdout.readline() == f"at http://localhost:{port + 1}/ now\n".encode()
        command.communicate()


def test_a_url_of_another_port_is_unchanged(mapping: Project, tmp_path: Path) -> None:
    with web_server(tmp_path) as foreign:
        result = mapping.run(
            "sh", "-c", f"echo http://localhost:{foreign}/; echo http://127.0.0.1:{foreign}/x; sleep 1"
        )
    assert result.stdout == f"http://localhost:{foreign}/\nhttp://127.0.0.1:{foreign}/x\n".encode()
