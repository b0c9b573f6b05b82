"""Tests that names and messages shown by rdo cannot control the terminal, while a command's streams are unchanged."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import Project, make_project, ssh_project
from tests.sshd import Sshd

EVIL = "\x1b[2J\x1b]0;owned\x07\x9b31m\r\x08"


def shown(project: Project, *words: str, **more: Any) -> str:
    """The single line that rdo shows, which has to be printable."""
    result = project.run(*words, **more)
    assert (result.returncode, result.stdout) == (255, b"")
    line = result.stderr.decode()
    assert line.startswith("rdo: ")
    assert line.endswith("\n")
    assert line[:-1].isprintable()
    return line


@pytest.mark.parametrize("key", ["host", "user", "driver", "no_such_key", "container"])
def test_a_value_of_a_config_is_shown_escaped(configured: Project, key: str) -> None:
    value = "".join(f"\\u{ord(char):04x}" for char in EVIL)
    configured.configure(f'host = "devbox"\ndirectory = "/"\n[other]\n{key} = "{value}"\n')
    shown(configured, "-p", "other", "true")


def test_a_profile_an_option_and_a_directory_are_shown_escaped(project: Project) -> None:
    for words in (["-p", EVIL, "true"], [f"--{EVIL}"], ["-C", EVIL, "true"], ["-e", f"{EVIL}=x", "true"]):
        shown(project, *words)


def test_a_directory_that_is_not_on_the_target_is_shown_escaped(anywhere: Project) -> None:
    (anywhere.local / EVIL).mkdir()
    assert r"\x1b[2J" in shown(anywhere, "true", cwd=EVIL)


def test_the_output_of_a_server_without_ssh_is_shown_escaped(tmp_path: Path, runtime: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        project = make_project(tmp_path, runtime)
        project.configure(f'host = "127.0.0.1"\nport = {server.getsockname()[1]}\ndirectory = "/"\n')

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"SSH-1.0-" + EVIL.encode() + b"\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        shown(project, "true")
        thread.join()


def test_a_banner_and_the_output_of_a_login_shell_are_shown_escaped(
    tmp_path: Path, runtime: dict[str, str], own_sshd: Callable[..., Sshd]
) -> None:
    server = own_sshd("ForceCommand cat ~/evil >&2; exit 1")
    (server.home / "evil").write_text(EVIL + "\n")
    banner = server.directory / "banner"
    banner.write_text(f"Welcome{EVIL}\n")
    server.config_lines.append(f"Banner {banner}")
    project = ssh_project(tmp_path, runtime, server.start())
    result = project.run("true")
    assert result.returncode == 255
    assert all(line.isprintable() for line in result.stderr.decode().split("\n"))


def test_the_streams_of_a_command_are_untouched(anywhere: Project) -> None:
    result = anywhere.run("sh", "-c", 'printf %s "$1"; printf %s "$1" >&2', "sh", EVIL)
    assert (result.stdout, result.stderr) == (EVIL.encode(), EVIL.encode())
