"""Checks that `ssh` and rdo refuse a server before the login because of the user's ssh configuration.

Each case is also tried with `ssh`, so that it shows what ssh does, rather than what we think it does.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from rdo.errors import ConnectError
from tests.connecting import connected
from tests.ssh_client import ScriptedCaller, driver
from tests.sshd import Sshd

STRICT = "StrictHostKeyChecking yes"


def public(key: Path) -> str:
    return " ".join(key.with_name(f"{key.name}.pub").read_text().split()[:2])


def keygen(*words: object) -> None:
    subprocess.run(["ssh-keygen", "-q", *map(str, words)], check=True, capture_output=True, stdin=subprocess.DEVNULL)


def ssh_connects(config: Path) -> bool:
    command = ["ssh", "-F", str(config), "-o", "BatchMode=yes", "devbox", "true"]
    return (
        subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=False).returncode == 0
    )


def refusal(config: Path, server: Sshd, *answers: str) -> str:
    """The reason why rdo, like ssh, does not connect. Nobody has tried to log in."""
    assert not ssh_connects(config)
    before = server.log.count("Accepted") + server.log.count("Failed") + server.log.count("Postponed")
    with pytest.raises(ConnectError) as failure:
        connected(driver(config), ScriptedCaller(answers))
    assert server.log.count("Accepted") + server.log.count("Failed") + server.log.count("Postponed") == before
    return str(failure.value)
