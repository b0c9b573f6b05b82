"""A real OpenSSH server for tests, on a free port of 127.0.0.1, with its own keys, configuration and log.

It runs as the current user (or root), without PAM. The machine's own sshd is neither used nor changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.ssh_server import SshServer


def find_sshd() -> str | None:
    """The full path of sshd, by which it has to be started; None if it is not installed."""
    return shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin")


class Sshd(SshServer):
    """A server. Change `config_lines` or the `environment` of its sessions, or `authorize` keys, and then start it."""

    program = "sshd"
    accepted = "Accepted publickey"

    def __init__(self, directory: Path, config_lines: Iterable[str] = ()) -> None:
        """Create keys and directories in `directory`, without starting the server."""
        super().__init__(directory, directory / "authorized_keys")
        self.config_lines = list(config_lines)
        self.home = directory / "home"
        """The sessions' HOME, so that start-up files of whoever runs the tests have no effect."""
        self.home.mkdir(exist_ok=True)
        self.environment = {"HOME": str(self.home), **self.environment}

    def _command(self) -> tuple[list[str], dict[str, str]]:
        program = find_sshd()
        assert program is not None, "sshd is not installed"
        if os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # its privilege separation needs the directory
        config = self.directory / "sshd_config"
        config.write_text("\n".join([*self.config_lines, *self._settings(), ""]))
        return [program, "-D", "-e", "-f", str(config)], {}

    def _settings(self) -> list[str]:
        """Settings after `config_lines`: of two values, sshd uses the first."""
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
