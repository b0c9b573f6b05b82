"""A real OpenSSH server for tests: on a free port of 127.0.0.1, with its own keys, configuration and log.

Runs as the current user (root included), without PAM. Nothing of the machine's own sshd is read or touched.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.ssh_server import SshServer


def find_sshd() -> str | None:
    """The server's full path, which sshd wants to be started by; None if it is not installed."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")


class Sshd(SshServer):
    """One server. Change `config_lines` or `environment` (of its sessions), or `authorize` keys; then start it."""

    program = "sshd"
    accepted = "Accepted publickey"

    def __init__(self, directory: Path, config_lines: Iterable[str] = ()) -> None:
        """Makes keys and directories under `directory`; starts nothing."""
        super().__init__(directory, directory / "authorized_keys")
        self.config_lines = list(config_lines)
        self.home = directory / "home"
        """The sessions' HOME, so that no start-up file of whoever runs the tests plays a part."""
        self.home.mkdir(exist_ok=True)
        self.environment = {"HOME": str(self.home), **self.environment}

    def _command(self) -> tuple[list[str], dict[str, str]]:
        program = find_sshd()
        assert program is not None, "sshd is not installed"
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # its privilege separation wants the directory
        config = self.directory / "sshd_config"
        config.write_text("\n".join([*self.config_lines, *self._settings(), ""]))
        return [program, "-D", "-e", "-f", str(config)], {}

    def _settings(self) -> list[str]:
        """Come after `config_lines`: of two settings sshd takes the first."""
        return [
            *([f"SetEnv {' '.join(map('='.join, self.environment.items()))}"] if self.environment else []),
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {path}" for path in self.host_keys),
            f"AuthorizedKeysFile {self.authorized_keys}",
            f"PidFile {self.directory / 'pid'}",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PrintMotd no",
            "PrintLastLog no",
            "MaxStartups 100:30:200",
            "LogLevel VERBOSE",
        ]
