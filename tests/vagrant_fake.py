"""Replaces the program `vagrant` in tests for which Ruby is too slow. It counts its calls, and gives the configured
answers. They are the same as those of the real program, which tests/e2e/test_vagrant_*.py run.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from tests.sshd import Sshd

PROGRAM = """#!/bin/sh
cd '{directory}' || exit
echo "$*" >>calls
[ -f "answer-$1" ] || exit 0
. "./answer-$1"
"""


class FakeVagrant:
    """A directory with a project (a Vagrantfile, and Vagrant's state of it), and a `vagrant` in `bin`."""

    def __init__(self, directory: Path, server: Sshd) -> None:
        self.directory = directory
        self.project = directory / "project"
        self._server = server
        (directory / "bin").mkdir()
        program = directory / "bin" / "vagrant"
        program.write_text(PROGRAM.format(directory=directory))
        program.chmod(0o755)
        self.project.mkdir()
        (self.project / "Vagrantfile").write_text("# here is Ruby\n")
        self.answer("ssh-config", f"cat <<'END'\n{self.ssh_config()}\nEND")

    def answer(self, command: str, script: str) -> None:
        """Set what a subcommand does from now on, in sh."""
        (self.directory / f"answer-{command}").write_text(script + "\n")

    def states(self, **machines: str) -> None:
        """Set what `vagrant status` prints from now on."""
        lines = [f"echo 1,{name},state,{state}" for name, state in machines.items()]
        self.answer("status", "\n".join(lines))

    def down(self, **machines: str) -> None:
        """Set the states of the machines; there is then no ssh configuration."""
        self.states(**machines)
        self.answer("ssh-config", "echo 'The provider is not yet ready for SSH.' >&2; exit 1")

    def ssh_config(self, port: int | None = None, name: str = "default") -> str:
        """The output of `vagrant ssh-config` for a machine that is the test's server."""
        return "\n  ".join(
            [
                f"Host {name}",
                "HostName 127.0.0.1",
                f"User {os.environ.get('USER') or 'root'}",
                f"Port {port or self._server.port}",
                "UserKnownHostsFile /dev/null",
                "StrictHostKeyChecking no",
                "PasswordAuthentication no",
                f'IdentityFile "{self._server.client_key}"',
                "IdentitiesOnly yes",
                "LogLevel FATAL",
            ]
        )

    def create(self, name: str = "default", identity: str = "id-1", synced_folders: str = "{}") -> None:
        """Create Vagrant's state of a machine."""
        directory = self.project / ".vagrant" / "machines" / name / "docker"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "id").write_text(identity)
        (directory / "synced_folders").write_text(synced_folders)

    @property
    def calls(self) -> list[str]:
        """The command lines since the last call of this method."""
        try:
            text = (self.directory / "calls").read_text()
        except FileNotFoundError:
            return []
        (self.directory / "calls").unlink()
        return text.splitlines()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The variables, with this `vagrant` first in PATH, and nothing of the user's."""
        directories = {f"XDG_{kind}_HOME": str(self.directory / kind.lower()) for kind in ("CACHE", "STATE")}
        path = f"{self.directory / 'bin'}:{given['PATH']}"
        return {
            **given,
            **directories,
            "PATH": path,
            "HOME": str(self.directory),
            "VAGRANT_HOME": str(self.directory / "home"),
        }
